"""Texts that remember what they were made of: English as ever, and said in another language later."""

from __future__ import annotations

import copy
import json

from core import language
from core.domain.told import Told, tell
from core.errors import UnknownPlace

HINDI = language("hi")


def test_it_is_the_english_text_for_whoever_takes_a_text() -> None:
    text = tell("dew point {moved} {a:.1f} K in {x} h", moved=tell("rose"), a=2.04, x=tell("3"))
    assert text == "dew point rose 2.0 K in 3 h"
    assert json.dumps({text: [text]}) == '{"dew point rose 2.0 K in 3 h": ["dew point rose 2.0 K in 3 h"]}'
    assert language("en").say(text) == text
    assert len({text, str(text)}) == 1


def test_it_is_said_with_its_values_and_theirs() -> None:
    text = tell("dew point {moved} {a:.1f} K in {x} h", moved=tell("rose"), a=2.04, x=tell("3"))
    assert HINDI.say(text) == "ओसांक में 3 घंटे में 2.0 K की वृद्धि"
    assert HINDI.say("wind from the {wind_from}", wind_from=tell("north")) == "पवन उत्तर से"


def test_a_value_that_is_a_mere_text_stays_as_it_is() -> None:
    assert HINDI.say("wind from the {wind_from}", wind_from="north") == "पवन north से"
    assert HINDI.say(tell("wind from the {wind_from}", wind_from="{x}")) == "पवन {x} से"


def test_what_the_catalogue_does_not_know_stays_english_but_for_its_values() -> None:
    assert HINDI.say(tell("no such text: {n} {way}", n=1, way=tell("rose"))) == "no such text: 1 वृद्धि"
    assert HINDI.say(tell("a {brace} without values")) == "a {brace} without values"


def test_a_copy_is_still_told_and_telling_twice_changes_nothing() -> None:
    text = tell("{v:.0f} mm in 24 h", v=3.0)
    copied = copy.deepcopy(text)
    assert isinstance(copied, Told)
    assert HINDI.say(copied) == "24 घंटे में 3 मिमी"
    assert tell(text) is text


def test_an_error_keeps_what_it_was_told() -> None:
    error = UnknownPlace(tell("{v:.0f} mm in 24 h", v=3.0), hint="rose")
    assert HINDI.say(error.message) == "24 घंटे में 3 मिमी"
    assert str(error) == error.told == "3 mm in 24 h rose"
    assert HINDI.say(error.told) == "24 घंटे में 3 मिमी वृद्धि"
    assert UnknownPlace("as it stands").told == "as it stands"
