"""Composition: the dashboard, the API below /api and the scheduler, in one process.

This file runs in two roles. `streamlit run app.py` imports it and finds the literal `app`; every session then executes
it again as the page script.
"""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount
from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is None:
    gc.disable()  # nothing of what is loaded now is garbage, and looking for it takes a fifth of the start
    print("Cloudburst Watch: loading libraries (a few seconds) ...", flush=True)  # noqa: T201 - the terminal waits
    from streamlit.runtime.pages_manager import PagesManager

    from api.addresses import KnownAddress
    from api.app import api, start_core, stop_core
    from api.browsers import PAGE_HEADERS, Told
    from api.hosts import KnownHosts

    # Until st.navigation has run once, Streamlit takes a pages/ folder for its old multipage form and would draw the
    # first visitor's page without frame or navigation (docs/adr/0003-pages-folder.md).
    PagesManager.uses_pages_directory = False

    @asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        """Start the scheduler once, before the first page, and stop it with the server."""
        start_core()
        gc.collect()
        gc.freeze()  # what is loaded by now stays: no collection needs to look at it again
        gc.enable()
        try:
            yield
        finally:
            stop_core()

    doors = [Middleware(Told, headers=PAGE_HEADERS), Middleware(KnownHosts), Middleware(KnownAddress)]
    app = st.App(__file__, routes=[Mount("/api", app=api)], lifespan=lifespan, middleware=doors)
else:
    from ui.shell import show  # a function that is called: a bare import would draw for the first session only

    show()
