"""The page's modules in one Node process: written to a folder as they are, and called with JSON."""

import json
import shutil
import subprocess
from contextlib import contextmanager

import pytest

from microgradlib.viz.stepper.page_build import generated_modules, source_modules

NODE = shutil.which("node")

_SERVER = """
import { createInterface } from 'node:readline';
const load = name => import(`./${name}.js`);
const AsyncFunction = (async () => {}).constructor;
for await (const line of createInterface({ input: process.stdin })) {
  const { body, data } = JSON.parse(line);
  let answer;
  try { answer = { result: await new AsyncFunction('load', 'data', body)(load, data) }; }
  catch (error) { answer = { error: error.stack }; }
  console.log(JSON.stringify(answer));
}
"""


def needs_node():
    """Skip the tests of a module where Node is missing."""
    if NODE is None:
        pytest.skip("no node on the PATH", allow_module_level=True)


@contextmanager
def page_modules(folder):
    """Yield a function that runs JavaScript: the body of an asynchronous function of `load(module)` and `data`."""
    modules = {**source_modules(), **generated_modules(), "package.json": '{"type": "module"}', "server.js": _SERVER}
    for name, text in modules.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    with subprocess.Popen([NODE, "server.js"], cwd=folder, stdin=-1, stdout=-1, text=True, encoding="utf-8") as process:

        def run(body, data=None):
            process.stdin.write(json.dumps({"body": body, "data": data}) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            assert "error" not in answer, answer["error"]
            return answer.get("result")

        yield run
        process.stdin.close()
