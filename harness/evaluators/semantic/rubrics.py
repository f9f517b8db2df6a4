"""The rubrics of the semantic evaluators: what each asks a judge, on which scale, and from where on it passes.

Faithfulness, answer relevance, context precision and context recall are the four questions of Es et al. (2023), RAGAS,
arXiv:2309.15217, asked of a judge with anchored scales instead of by embeddings.
"""

from __future__ import annotations

from harness.evaluators.judge.rubric import Criterion, Rubric

FAITHFULNESS = Rubric(
    name="faithfulness",
    shows=("context", "answer"),
    pass_at=0.75,
    instructions="Use the context only; what you know yourself is no support, even where it is right.",
    criteria=(
        Criterion(
            name="supported",
            question="How much of what the answer claims follows from the context?",
            anchors={
                1: "It contradicts the context in a matter that counts, or nothing in it follows from the context.",
                3: "Most claims follow; at least one is neither said nor implied.",
                5: "Every claim follows from the context, numbers, names and denials included.",
            },
        ),
    ),
)
ANSWER_RELEVANCE = Rubric(
    name="answer_relevance",
    shows=("input", "answer"),
    pass_at=0.75,
    instructions="Whether the answer is true is not asked here.",
    criteria=(
        Criterion(
            name="relevant",
            question="How much does the answer speak to what was asked?",
            anchors={
                1: "It speaks of something else, or evades.",
                3: "It answers in part, or beside much that was not asked.",
                5: "It answers what was asked, and adds nothing that is of no use to who asked.",
            },
        ),
    ),
)
CONTEXT_PRECISION = Rubric(
    name="context_precision",
    shows=("input", "reference", "context"),
    pass_at=0.5,
    instructions="You are shown one retrieved text, under context. The reference is the right answer.",
    criteria=(
        Criterion(
            name="useful",
            question="Does this text help to arrive at the reference?",
            low=0,
            high=1,
            anchors={0: "No fact of the reference rests on it.", 1: "At least one fact of the reference rests on it."},
        ),
    ),
)
CONTEXT_RECALL = Rubric(
    name="context_recall",
    shows=("reference", "context"),
    pass_at=0.75,
    instructions="The reference is the right answer; the context is what was retrieved to give it.",
    criteria=(
        Criterion(
            name="recalled",
            question="How much of the reference could be written from the context alone?",
            anchors={1: "Nothing that counts.", 3: "About half of its facts.", 5: "Every fact."},
        ),
    ),
)
COMPLETENESS = Rubric(
    name="completeness",
    shows=("input", "reference", "answer"),
    pass_at=0.75,
    instructions="Other words for the same are as good. What the answer says beyond the reference does not count.",
    criteria=(
        Criterion(
            name="complete",
            question="How much of what the reference says does the answer say?",
            anchors={1: "Nothing that counts.", 3: "About half of its facts.", 5: "Every fact."},
        ),
    ),
)
TASK_COMPLETION = Rubric(
    name="task_completion",
    shows=("input", "transcript"),
    pass_at=0.75,
    instructions="What the agent claims to have done counts only as far as its tool calls and their results show it.",
    criteria=(
        Criterion(
            name="completed",
            question="How much of the task that the user set has the agent done by the end?",
            anchors={
                1: "Nothing, or something that harms the user.",
                3: "A part, or all of it with a step that nobody can tell was done.",
                5: "All of it, and nothing that was not asked.",
            },
        ),
    ),
)


def tone(wanted: str) -> Rubric:
    """The rubric of a tone.

    :param wanted: the tone in words, such as ``"friendly, brief, no slang"``.
    """
    return Rubric(
        name="tone",
        shows=("input", "answer"),
        pass_at=0.75,
        instructions=f"The tone that is wanted: {wanted}. Whether the answer is right is not asked here.",
        criteria=(
            Criterion(
                name="tone",
                question="How well does the answer keep the wanted tone?",
                anchors={
                    1: "It is rude, or the opposite of it.",
                    3: "It keeps it in part.",
                    5: "It keeps it throughout.",
                },
            ),
        ),
    )
