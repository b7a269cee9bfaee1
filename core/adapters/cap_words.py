"""What a CAP draft says, in the languages it says it in."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.forecast import RiskLevel


@dataclass(frozen=True)
class Words:
    """The sentences of one language; what stands in braces is filled in."""

    language: str
    event: str
    levels: dict[RiskLevel, str]
    warning: str
    nothing: str
    cancelled: str
    rain: str
    highest: str
    unknown: str
    simulated: str
    unofficial: str
    instruction: str


ENGLISH = Words(
    language="en-IN",
    event="Extreme short-duration rain",
    levels={RiskLevel.YELLOW: "Yellow", RiskLevel.ORANGE: "Orange", RiskLevel.RED: "Red"},
    warning="{level} warning of extreme short-duration rain: {region}",
    nothing="{region}: no warning in force",
    cancelled="{region}: the earlier message is cancelled",
    rain="Rain of {mm:g} mm or more in one hour between {begin} and {end} UTC: {count} of {all} places.",
    highest="Highest probability: {p:.1%}.",
    unknown="Nothing is known of {unknown} of {all} places.",
    simulated="Simulated",
    unofficial="This is no official warning.",
    instruction="Keep away from streams and steep slopes. Follow the official warnings.",
)
HINDI = Words(
    language="hi-IN",
    event="अल्प अवधि की अत्यधिक वर्षा",
    levels={RiskLevel.YELLOW: "पीली", RiskLevel.ORANGE: "नारंगी", RiskLevel.RED: "लाल"},
    warning="अल्प अवधि की अत्यधिक वर्षा की {level} चेतावनी: {region}",
    nothing="{region}: कोई चेतावनी लागू नहीं है",
    cancelled="{region}: पिछला संदेश रद्द किया गया है",
    rain="{begin} से {end} UTC के बीच एक घंटे में {mm:g} मिमी या अधिक वर्षा: {all} में से {count} स्थान।",
    highest="अधिकतम संभावना: {p:.1%}।",
    unknown="{all} में से {unknown} स्थानों के बारे में कोई जानकारी नहीं है।",
    simulated="काल्पनिक आँकड़े (Simulated)",
    unofficial="यह आधिकारिक चेतावनी नहीं है।",
    instruction="नदी-नालों और खड़ी ढलानों से दूर रहें। आधिकारिक चेतावनियों का पालन करें।",
)
LANGUAGES = (ENGLISH, HINDI)
