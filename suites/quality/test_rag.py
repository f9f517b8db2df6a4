"""DeepEval's RAG triad and completeness agree with people on labelled answers, judged by the local model server.

This says that the metrics are wired up and read what they should. Name a model of your own in place of ``rag`` to see
how well it judges.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from fixtures.judges import rag
from fixtures.quality import AsLabelled
from harness.evaluators import deepeval_metric

pytestmark = pytest.mark.skipif(find_spec("deepeval") is None, reason='needs DeepEval: pip install "harness[deepeval]"')

FAITHFULNESS = deepeval_metric("FaithfulnessMetric", threshold=0.99, include_reason=False, model=rag)
RELEVANCE = deepeval_metric("AnswerRelevancyMetric", threshold=0.5, include_reason=False, model=rag)
CONTEXT_RELEVANCE = deepeval_metric("ContextualRelevancyMetric", threshold=0.5, include_reason=False, model=rag)
COMPLETENESS = deepeval_metric(
    "GEval",
    name="completeness",
    evaluation_steps=["Check that the actual output says every fact of the expected output, with the same numbers."],
    evaluation_params=["actual_output", "expected_output"],
    threshold=0.9,
    model=rag,
)
METRICS = [
    AsLabelled(FAITHFULNESS, "faithfulness"),
    AsLabelled(RELEVANCE, "relevance"),
    AsLabelled(CONTEXT_RELEVANCE, "context_relevance"),
    AsLabelled(COMPLETENESS, "completeness"),
]


@pytest.mark.golden("rag_quality", area="quality", evaluators=METRICS, trials=1, pass_rate=0.8)
async def test_rag(case, agent):
    """Each metric's verdict is that of the people who labelled the answer."""
    await agent(case)
