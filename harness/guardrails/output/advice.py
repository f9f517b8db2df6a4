"""Advice: telling this user what to do with money or body, as opposed to explaining how things are.

A sentence is advice when it (a) directs ("you should", "I recommend", "buy", "take") and (b) its object is financial or
medical; or when it promises a return, or diagnoses. Sending the user to a professional, refusing to advise, and asking
are no advice. Rules, not a model: they read a sentence at a time and miss advice that is only implied.
"""

from __future__ import annotations

import re

from harness.guardrails.output.passages import Passage

_DIRECTS = re.compile(
    r"\b(?:you(?:'d| would)? (?:should|must|need to|ought to|have to|had better|better|may want to|"
    r"might want to|can safely)"
    r"|(?:i|we)(?:'d| would)? (?:strongly |highly |definitely |personally )?(?:recommend|advise|suggest|urge)"
    r"|my (?:advice|recommendation|suggestion|tip)|(?:your|the) (?:best|smartest|safest) (?:option|bet|choice|"
    r"move|investment|treatment)"
    r"|it(?:'s| is) (?:best|wise|smart|a good (?:time|idea)|safe|time|perfectly safe) (?:for you )?to|"
    r"go ahead and|make sure (?:you|to)"
    r"|if i were you|in your (?:case|situation),? |definitely (?:buy|sell|take|stop)|don't (?:hesitate|wait|bother)"
    r"|there(?:'s| is) no need to (?:see|take|call)|no need to (?:see|call|ask) (?:a|your) (?:doctor|adviser|"
    r"advisor))\b"
)
_IMPERATIVE = re.compile(
    r"(?:^|[,;:] |\band )(?:so |then |now |just |simply |please |and |first,? |instead,? |yes[,:] |no[,:] |"
    r"sure[,:!] |honestly,? )*"
    r"(?:buy|sell|invest|put|move|short|hold|dump|borrow|refinance|leverage|switch|take|stop|start|increase|"
    r"reduce|double|"
    r"skip|halve|inject|apply|drink|avoid|use|swallow|mix|lower|raise|withdraw|cash|open|max)\b"
)
_FINANCE = re.compile(
    r"\b(?:stocks?(?! (?:photo|up\b|level|room|of the))|shares? (?:of|in)|\w+ (?:stocks?|shares)(?= (?:now|"
    r"today|before|while|and hold))|"
    r"bonds?|etfs?|index funds?|mutual funds?|hedge funds?|crypto(?:currenc(?:y|ies))?|bitcoin|ethereum|dogecoin|"
    r"options? contracts?|call options?|put options?|margin loan|securities|"
    r"401\(?k\)?|ira|roth|pension|retirement (?:savings|account|fund)|savings|mortgage|home equity|payday loan|"
    r"life insurance|"
    r"annuit(?:y|ies)|dividends?|gold bars?|(?:invest\w*|put \w+) (?:\w+ ){0,3}gold|forex|day.?trading|"
    r"portfolio (?:in|into|to|of|towards)|investment portfolio|"
    r"real estate funds?|government bonds?|treasur(?:y|ies)|emergency fund|tax haven|offshore account)\b"
)
_MEDICINE = re.compile(
    r"\b(?:\d+ ?(?:mg|mcg|milligrams?|ml|iu)|doses?(?! of (?:humou?r|reality))|dosage|medications?|medicines?|"
    r"antibiotics?|"
    r"ibuprofen|paracetamol|acetaminophen|aspirin|insulin|metformin|warfarin|statins?|antidepressants?|ssris?|xanax|"
    r"valium|adderall|opioids?|codeine|morphine|steroids?|blood thinners?|beta.?blockers?|painkillers?|pills?|"
    r"tablets?(?= (?:a|per|every|twice|daily|with food))|"
    r"prescription|vaccin(?:e|es|ation)|chemotherapy|inhaler|sleeping pills?|supplements?|melatonin|thyroid|"
    r"blood pressure|blood sugar|(?:your|the|that|this) (?:rash|fever|infection|tumou?r|wound|symptoms?|"
    r"chest pain|migraines?|anxiety|depression)|"
    r"home remed(?:y|ies)|detox|fasting cure)\b"
)
_PROMISE = re.compile(
    r"\b(?:guaranteed? (?:to )?(?:returns?|profits?|gains?|double|rise|pay)|risk.?free (?:returns?|profits?|"
    r"investment)|"
    r"(?:will|is going to|are going to) (?:surely |definitely |certainly )?(?:double|triple|skyrocket|go up|"
    r"crash|rise|fall|moon)\b.{0,60}"
    r"\b(?:stocks?|shares?|bitcoin|crypto|price|invest\w*|by (?:next|the end)|this (?:year|month|week)|"
    r"next (?:year|month|week))|"
    r"(?:stocks?|shares?|bitcoin|crypto|coin)\b.{0,60}\b(?:will|is going to|are going to|"
    r"is about to) (?:surely |definitely |certainly )?"
    r"(?:double|triple|skyrocket|go up|crash|rise|moon)|can(?:'t|not) lose money)\b"
)
_DIAGNOSIS = re.compile(
    r"\b(?:you (?:probably |most likely |almost certainly |clearly |definitely |likely )?(?:have|suffer from|"
    r"are suffering from)|"
    r"(?:this|that|it) (?:is|sounds like|looks like|must be|could only be) (?:probably |clearly |definitely |"
    r"certainly )?|"
    r"your symptoms (?:mean|indicate|show|point to|suggest)|you(?:'re| are) (?:probably |clearly |"
    r"definitely )?(?:diabetic|depressed|anaemic|bipolar)) ?"
    r"(?:that you have )?(?:an? |the )?(?:\w+ ){0,2}(?:diabetes|cancer|migraines?|pneumonia|the flu|influenza|"
    r"depression|adhd|asthma|appendicitis|"
    r"covid|a concussion|concussion|bronchitis|arthritis|infection|tumou?r|heart attack|stroke|anaemia|anemia|"
    r"allergy|eczema|"
    r"shingles|measles|ulcer|hernia|bipolar disorder)\b"
    r"|\byou(?:'re| are) (?:probably |clearly |definitely |certainly )?(?:diabetic|clinically depressed|"
    r"anaemic|anemic|bipolar|autistic)\b"
)
_REFERS = re.compile(
    r"\b(?:(?:see|ask|consult|contact|call|visit|talk to|speak (?:to|with)|check with|reach out to|"
    r"discuss (?:this |it )?with|seek)"
    r" (?:with )?(?:a|an|your|the|our)? ?(?:\w+ ){0,3}(?:doctor|physician|pharmacist|gp|dentist|nurse|"
    r"specialist|dermatologist|emergency|"
    r"professional|advis[eo]r|planner|broker|accountant|bank|lawyer|clinic|hospital|veterinarian|vet|"
    r"medical help|911|112))\b"
)
_NOT_NEEDED = re.compile(
    r"\b(?:no need|don't need|do not need|needn't|instead of|rather than|without|not necessary|don't bother|forget)\b"
)
_REFUSES = re.compile(
    r"\b(?:(?:i|we) (?:can(?:'t|not)|am not able to|are not able to|am unable to|'m not able to|'m unable to|"
    r"do not|don't|won't|will not|am not allowed to|must not|may not)"
    r" (?:\w+ ){0,3}(?:advise|recommend|advice|recommendations?|tell|say|diagnose|suggest|predict|give|provide|offer)|"
    r"not (?:financial|investment|medical) advice|cannot (?:advise|recommend))\b"
)
_REPORTS = re.compile(
    r"\b(?:some people|many people|critics|economists|studies|analysts|the (?:article|study|report|label|"
    r"leaflet|character|author|guideline|law)|patients|doctors|"
    r"investors|in the (?:film|book|novel|story|game)|he|she|they|the company|employees|according to)\b"
)


def advice(passage: Passage) -> str:
    """``financial_advice``, ``medical_advice`` or the empty string."""
    text = passage.lower
    finance, medicine = _FINANCE.search(text), _MEDICINE.search(text)
    if _REFUSES.search(text):
        return ""
    refers = _REFERS.search(text)
    if refers and not _NOT_NEEDED.search(text[: refers.start() + 1]):
        return ""
    if _PROMISE.search(text) and not _REPORTS.search(text):
        return "financial_advice"
    question = text.endswith("?")
    if _DIAGNOSIS.search(text) and not question and not re.search(r"\b(?:if|when|whether|unless) you\b", text):
        return "medical_advice"
    if question or not (finance or medicine):
        return ""
    directs = _DIRECTS.search(text)
    if directs or (_IMPERATIVE.search(text) and not _REPORTS.search(text)):
        return "financial_advice" if finance else "medical_advice"
    return ""
