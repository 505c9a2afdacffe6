"""The example page for browsers, in headless Chromium: ORT_WEB=/path/to/onnxruntime-web/dist make test-ui

Needs Debian's chromium, and the folder that ``npm install onnxruntime-web`` makes.
"""

import os
import re
import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

import handforge
from trainer.inference import export
from trainer.weights import shipped_weights

pytestmark = pytest.mark.ui

ROOT = Path(__file__).parents[2]
RUNTIME = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page's folder, with a photograph and the shipped network."""
    runtime, folder = os.environ.get("ORT_WEB"), tmp_path_factory.mktemp("page")
    if not runtime or not shutil.which("chromium"):
        pytest.skip("needs chromium and ORT_WEB, the folder dist of the npm package onnxruntime-web")
    for file in (*(Path(runtime, name) for name in RUNTIME), ROOT / "examples/browser/index.html"):
        shutil.copy(file, folder)
    with Image.open(ROOT / "docs/hand.webp") as image:
        image.convert("RGB").resize((320, 240)).save(folder / "photo.png")
    export.export_network(shipped_weights("hand"), "onnx", folder / "hands.onnx", folder / "photo.png")
    return folder


def test_the_page_finds_the_hands_that_the_detector_finds(page, tmp_path):
    handler = partial(SimpleHTTPRequestHandler, directory=str(page))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/index.html?photo=photo.png"
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
        waits = ("--virtual-time-budget=120000", f"--user-data-dir={tmp_path}")
        command = ["chromium", *flags, *waits, "--dump-dom", address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        server.shutdown()
    found = re.search(r"(\d+) hands? in \d", done.stdout)
    assert found, done.stdout
    assert int(found[1]) == len(handforge.HandDetector(device="cpu").detect(page / "photo.png")) >= 1
