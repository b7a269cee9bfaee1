"""The forecaster's ways in a real browser: map, place, report and its files; by pointer, by touch and by keyboard."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
from openpyxl import load_workbook
from PIL import Image, ImageChops
from playwright.sync_api import Locator, Page, expect
from pypdf import PdfReader

from core import language
from tests.browser.conftest import CHROMIUM, Visit, beyond_the_edge, drawn

REGION, PLACE = "uttarakhand-himachal", "uh-30.375-79.375"
REGION_NAME, PLACE_NAME = "Uttarakhand + Himachal Pradesh", "Chamoli 30.38N 79.38E"
#: Of what a person chooses on the map: label, option and how it stands in the address.
CHOSEN = (("Show", "Rain, last 3 h", "layer=rain3"), ("Rain", "≥ 30 mm/h", "threshold=p_30"))
#: Red, green and blue of the page's paper, added up.
BRIGHTNESS = """() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor
  .match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)"""
#: A phone as it says itself that it is one: Streamlit asks the browser's name, not only its width.
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile "
    "Safari/537.36",
}
#: What the keyboard stands on: its role, else its tag, and its name; and its place on the screen.
HERE = """() => {
  const here = document.activeElement, box = here.getBoundingClientRect();
  const name = here.getAttribute('aria-label') || here.placeholder || here.innerText || '';
  return {
    what: here.getAttribute('role') || here.tagName, name: name.split('\\n').pop().trim(),
    clip: {x: box.x - 6, y: box.y - 6, width: box.width + 12, height: box.height + 12},
  };
}"""
#: Least change of a colour, of 255, that says where the keyboard stands: 3 to 1 beside white and beside black.
SEEN = 96

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"),
]


def middle_of_map(page: Page) -> tuple[float, float]:
    """Return the pixel in the middle of the map, when that can be clicked."""
    layer = page.locator(".stPlotlyChart .nsewdrag").first
    layer.scroll_into_view_if_needed()
    page.wait_for_function(
        "() => document.querySelector('.stPlotlyChart .heatmaplayer image')?.href.baseVal.length > 100"
    )
    page.wait_for_timeout(300)
    box = layer.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def on_page(page: Page, title: str) -> None:
    page.get_by_role("heading", name=title, exact=True, level=1).wait_for()
    drawn(page)


def go_to(page: Page, title: str) -> None:
    """Take the navigation's way to a page."""
    page.get_by_test_id("stTopNavLink").filter(has_text=title).click()
    on_page(page, title)


def choose(page: Page, label: str, option: str, address: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()
    page.wait_for_url(f"**{address}*")
    drawn(page)


def slider(page: Page) -> Locator:
    return page.get_by_role("slider").first


def fetched(page: Page, form: str) -> bytes:
    """Return the file that a button gives."""
    with page.expect_download() as waited:
        page.get_by_role("button", name=form, exact=True).click()
    assert waited.value.suggested_filename.startswith(f"{REGION}_bulletin_")
    return waited.value.path().read_bytes()


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_the_first_visitor_of_a_shared_address_sees_its_place_in_the_frame(page: Page, address: str) -> None:
    page.goto(f"{address}/point?region={REGION}&place={PLACE}")
    page.get_by_role("heading", name=PLACE_NAME).wait_for()
    page.get_by_role("link", name="Risk map").wait_for()
    page.get_by_text("Age of data").wait_for()


def test_from_a_cell_of_the_map_to_its_place_and_to_a_report_in_every_format(page: Page, address: str) -> None:
    page.goto(address)
    on_page(page, "Risk map")
    page.mouse.click(*middle_of_map(page))
    on_page(page, "Point")
    assert re.search(rf"/point\?region={REGION}&place=uh-", page.url)
    page.get_by_role("heading", name=re.compile(r"[A-Z].*[0-9.]+N [0-9.]+E")).wait_for()
    page.get_by_text(re.compile(r"Green: no|Yellow: watch|Orange: be|Red: take")).first.wait_for()
    page.get_by_text("Simulated: 29 July").first.wait_for()
    page.get_by_role("link", name="Make a report").click()
    on_page(page, "Reports")
    said = text_of(fetched(page, "PDF"))
    assert REGION_NAME in said
    assert "Simulated: 29 July" in said
    assert b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"' in fetched(page, "CAP 1.2")[:200]
    book = load_workbook(io.BytesIO(fetched(page, "Excel")), read_only=True)
    assert any(REGION_NAME in str(cell) for row in book.worksheets[0].iter_rows(values_only=True) for cell in row)
    page.go_back()
    on_page(page, "Point")


def test_what_is_chosen_on_the_map_outlives_reload_other_pages_and_the_way_to_a_colleague(
    visit: Visit, address: str
) -> None:
    def stands(page: Page) -> None:
        for label, option, _ in CHOSEN:
            expect(page.get_by_role("combobox", name=label, exact=True)).to_have_value(option)
        expect(slider(page)).to_have_attribute("aria-valuetext", hour)
        assert {part for *_, part in CHOSEN} <= set(page.url.partition("?")[2].split("&"))
        assert re.search(r"time=[0-9-]+T\d\dZ", page.url)

    page = visit()
    page.goto(address)
    on_page(page, "Risk map")
    for chosen in CHOSEN:
        choose(page, *chosen)
    slider(page).press("Home")
    page.wait_for_url("**time=*")
    first = page.url
    for _ in range(5):  # not the oldest, which leaves with its hour
        slider(page).press("ArrowRight")
    page.wait_for_function("before => location.href !== before", arg=first)
    page.wait_for_timeout(1000)  # the last of them has arrived
    drawn(page)
    hour = slider(page).get_attribute("aria-valuetext") or ""
    assert "IST" in hour
    stands(page)
    page.reload()
    on_page(page, "Risk map")
    stands(page)
    go_to(page, "Quality")
    go_to(page, "Risk map")
    stands(page)
    colleague = visit()
    colleague.goto(page.url)
    on_page(colleague, "Risk map")
    stands(colleague)


def test_hindi_stays_through_the_journey_a_reload_and_the_report(page: Page, address: str) -> None:
    hindi = language("hi").say
    page.goto(address)
    on_page(page, "Risk map")
    page.get_by_role("combobox", name="Language").click()
    page.get_by_role("option", name="हिन्दी").click()
    on_page(page, hindi("Risk map"))
    page.reload()
    on_page(page, hindi("Risk map"))
    page.mouse.click(*middle_of_map(page))
    on_page(page, hindi("Point"))
    page.get_by_role("link", name=hindi("Make a report")).click()
    on_page(page, hindi("Reports"))
    assert "lang=hi" in page.url
    assert re.search(r"[\u0904-\u0939]{3}", text_of(fetched(page, "PDF")))


def test_the_keyboard_alone_finds_places_whose_addresses_can_be_shared(visit: Visit, address: str) -> None:
    page = visit()
    page.goto(f"{address}/point")
    on_page(page, "Point")
    while page.evaluate(HERE)["name"] != "Find a place":
        page.keyboard.press("Tab")
    page.keyboard.type("Kedarnath\n")
    page.get_by_text("Kedarnath: ").and_(page.get_by_text("speaks for it.")).wait_for()
    by_name = page.url
    assert f"place={PLACE}" not in by_name
    page.keyboard.press("Control+A")
    page.keyboard.type("30.38, 79.38\n")
    page.wait_for_url(f"**place={PLACE}*")
    page.get_by_role("heading", name=PLACE_NAME).wait_for()
    colleague = visit()
    colleague.goto(by_name)
    on_page(colleague, "Point")
    found = colleague.get_by_role("combobox", name="Place", exact=True).input_value()
    colleague.get_by_role("heading", name=found).wait_for()
    assert found != PLACE_NAME
    assert colleague.url == by_name


def test_the_theme_follows_the_reader_and_the_choice_stays(visit: Visit, address: str) -> None:
    page = visit(color_scheme="dark")
    page.goto(f"{address}/?layer=probability&ahead=0-3")
    on_page(page, "Risk map")
    dark = page.evaluate(BRIGHTNESS)
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"dark => ({BRIGHTNESS})() > dark + 300", arg=dark)
    expect(page.get_by_role("combobox", name="Show", exact=True)).to_have_value("Probability")
    expect(page.get_by_role("combobox", name="Within", exact=True)).to_have_value("0–3 h")
    assert "layer=probability" in page.url


def test_the_journey_by_touch_on_a_phone(visit: Visit, address: str) -> None:
    page = visit(**PHONE)
    page.goto(address)
    on_page(page, "Risk map")
    assert beyond_the_edge(page) <= 1
    for _ in range(2):  # the first tells of the cell, the second opens its place
        page.touchscreen.tap(*middle_of_map(page))
        page.wait_for_timeout(700)
    on_page(page, "Point")
    assert "place=uh-" in page.url
    assert beyond_the_edge(page) <= 1
    page.get_by_role("link", name="Make a report").tap()
    on_page(page, "Reports")
    assert beyond_the_edge(page) <= 1
    page.get_by_test_id("stExpandSidebarButton").tap()
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Alerts").tap()
    on_page(page, "Alerts")
    expect(page.get_by_test_id("stSidebarNavLink").first).not_to_be_in_viewport()  # the menu makes room by itself
    assert beyond_the_edge(page) <= 1


def stops(page: Page) -> Iterator[tuple[str, str]]:
    """Go through a page by Tab; every stop must look other than it does without the keyboard on it."""
    before = None
    for _ in range(80):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if before is not None:
            clip, name, with_focus = before
            gone = Image.open(io.BytesIO(page.screenshot(clip=clip, animations="disabled")))
            changed = ImageChops.difference(with_focus.convert("RGB"), gone.convert("RGB"))
            assert max(high for _, high in changed.getextrema()) >= SEEN, f"the keyboard is not seen on {name}"
        if here["what"] == "BODY":
            return
        seen = Image.open(io.BytesIO(page.screenshot(clip=here["clip"], animations="disabled")))
        before = here["clip"], f"{here['what']} {here['name']}", seen
        yield here["what"], here["name"]
    raise AssertionError("the keyboard does not come out of the page")


def test_the_keyboard_alone_reaches_every_choice_and_opens_a_place(page: Page, address: str) -> None:
    page.goto(address)
    on_page(page, "Risk map")
    middle_of_map(page)
    page.mouse.move(0, 0)
    wanted = [
        ("A", "Reports"), ("combobox", "Language / भाषा"), ("combobox", "Show"), ("combobox", "Within"),
        ("combobox", "Rain"), ("switch", "Districts"), ("INPUT", "Time: the past day, and the hours ahead"),
        ("tab", "Districts"),
    ]  # fmt: skip
    reached = list(stops(page))
    assert [stop for stop in reached if stop in wanted] == wanted
    page.get_by_role("tab", name="Districts").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("Tick a place").wait_for()
    while page.evaluate(HERE)["what"] != "CANVAS":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Space")
    on_page(page, "Point")
