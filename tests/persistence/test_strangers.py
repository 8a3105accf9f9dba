"""A file from a stranger never runs code: every part is replaced by a payload, and watched."""

import json
import os
import pickle
import sys
import warnings

import joblib
import numpy as np
import pytest
import torch
from saved_headers import (
    read_metadata,
    read_parts,
    replace_in_header,
    sign_again,
    write_metadata,
    write_parts,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import glassclf
from glassclf.estimators import CNNClassifier
from glassclf.featurizers import ImageFeaturizer

QUICK = os.environ.get("GLASSCLF_QUICK") == "1"

PAYLOAD_MODULE = """
import os
from sklearn.base import BaseEstimator
os.environ["GLASSCLF_PAYLOAD"] = "imported"
class Payload(BaseEstimator):
    def __new__(cls, *args):
        os.environ["GLASSCLF_PAYLOAD"] = "built"
        return super().__new__(cls)
    def __setstate__(self, state):
        os.environ["GLASSCLF_PAYLOAD"] = "filled"
"""


class Pickled:
    def __reduce__(self):
        return os.system, ("true",)


PICKLE = pickle.dumps(Pickled()).decode("latin-1")
TEXTS = (
    "glassclf_payload.Payload",
    "os.system",
    "builtins.eval",
    "subprocess.Popen",
    "glassclf.persistence.saving.os.system",
    "sklearn.utils.os.system",
    "torch.load",
    "__import__('os').system('true')",
    PICKLE,
)
NODES = (
    {"estimator": {"class": "glassclf_payload.Payload", "state": [["a", 1]]}},
    {"estimator": {"class": "sklearn.svm.SVC", "state": [["__class__", 1], ["__reduce__", 2]]}},
    {"network": "os.system"},
    {"optimizer": "glassclf_payload.Payload"},
    {"pickle": PICKLE},
    {"array": {"name": "steps", "dtype": "O", "shape": [1]}},
    {"array": {"values": [PICKLE], "dtype": "O8", "shape": [10**12]}},
    {"dict": [[{"dict": []}, PICKLE]]},
)
WATCHED = ("exec", "os.", "pickle.", "shutil.", "socket.", "subprocess.", "ctypes.")
HARMLESS = {"os.listdir", "os.scandir", "os.putenv", "os.fspath"}


class Watch:
    """Notes everything of note that Python does while it is on."""

    def __init__(self):
        self.on, self.events, self.refusals = False, [], []
        sys.addaudithook(self.note)

    def note(self, event, arguments):
        if not self.on or event in HARMLESS:
            return
        if event.startswith(WATCHED) or (event == "import" and arguments[0] not in sys.modules):
            self.events.append((event, str(arguments)[:200]))

    def load(self, path):
        """Load a file: None where it is refused by a ValueError, as anything bad should be."""
        self.on = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return glassclf.load(path)
        except ValueError as error:
            self.refusals.append(str(error))
            return None
        finally:
            self.on = False


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.fixture
def stranger(tmp_path, phases, union, watch, monkeypatch):
    """Files of a union with a support vector machine and of a network, loaded once before."""
    (tmp_path / "glassclf_payload.py").write_text(PAYLOAD_MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("GLASSCLF_PAYLOAD", "")
    X, y, _ = phases
    network = CNNClassifier(
        n_filters=(2,), max_epochs=1, random_state=np.random.RandomState(0), augment="shifts"
    )
    paths = []
    for name, model in (("union", union), ("net", make_pipeline(ImageFeaturizer(8), network))):
        paths.append(tmp_path / f"{name}.safetensors")
        glassclf.save(model.fit(X, y), paths[-1])
        assert watch.load(paths[-1]) is not None
    watch.events.clear()
    watch.refusals.clear()
    yield paths
    assert all(str(tmp_path) in text for text in watch.refusals)
    assert watch.events == []
    assert os.environ["GLASSCLF_PAYLOAD"] == ""
    assert "glassclf_payload" not in sys.modules


def places(tree, way=()):
    """Ways to every node of a tree of JSON, and to every key of its tables."""
    yield way, False
    items = enumerate(tree) if isinstance(tree, list) else ()
    if isinstance(tree, dict):
        items = tree.items()
        for key in tree:
            yield (*way, key), True
    for key, value in items:
        yield from places(value, (*way, key))


def replaced(tree, way, is_key, new):
    """Build a copy of a tree in which the node, or the key, at the end of a way is another."""
    if not way:
        return new
    key, *rest = way
    if isinstance(tree, dict):
        if is_key and not rest:
            return {(new if name == key else name): value for name, value in tree.items()}
        return {**tree, key: replaced(tree[key], rest, is_key, new)}
    return [*tree[:key], replaced(tree[key], rest, is_key, new), *tree[key + 1 :]]


def sampled(ways, n):
    rng = np.random.default_rng(0)
    ways = list(ways)
    n = min(len(ways), n // 5 if QUICK else n)
    return [ways[place] for place in rng.permutation(len(ways))[:n]]


def is_text(tree, way, is_key):
    for key in way if not is_key else ():
        tree = tree[key]
    return is_key or isinstance(tree, str)


def test_the_watch_sees_what_a_pickle_does(watch, tmp_path):
    watch.on = True
    pickle.loads(PICKLE.encode("latin-1"))
    watch.on = False
    seen = [event for event, _ in watch.events]
    watch.events.clear()
    assert {"pickle.find_class", "os.system"} <= set(seen)


@pytest.mark.parametrize("which", [0, 1], ids=["union", "network"])
def test_every_string_of_the_tree(stranger, watch, which):
    path = stranger[which]
    metadata = read_metadata(path)
    tree = metadata["model"]
    ways = [one for one in places(tree) if is_text(tree, *one)]
    n_refused = 0
    for count, (way, is_key) in enumerate(sampled(ways, 400)):
        # Names of classes are few, and what matters most.
        texts = TEXTS if way[-1] in ("class", "network") else [TEXTS[count % len(TEXTS)]]
        for text in texts:
            write_metadata(path, {**metadata, "model": replaced(tree, way, is_key, text)})
            n_refused += watch.load(path) is None
            assert watch.events == [], (way, text)
    assert n_refused > len(ways) / (10 if QUICK else 3)


def test_every_class(stranger, watch):
    for path in stranger:
        metadata = read_metadata(path)
        tree = metadata["model"]
        for way, is_key in places(tree):
            if way and way[-1] == "class" and not is_key:
                for text in TEXTS:
                    write_metadata(path, {**metadata, "model": replaced(tree, way, False, text)})
                    assert watch.load(path) is None


@pytest.mark.parametrize("which", [0, 1], ids=["union", "network"])
def test_every_node_of_the_tree(stranger, watch, which):
    path = stranger[which]
    metadata = read_metadata(path)
    tree = metadata["model"]
    for count, (way, _) in enumerate(sampled([one for one in places(tree) if not one[1]], 400)):
        node = NODES[count % len(NODES)]
        write_metadata(path, {**metadata, "model": replaced(tree, way, False, node)})
        watch.load(path)
        assert watch.events == [], (way, node)


def test_every_array(stranger, watch):
    payload = PICKLE.encode("latin-1")
    for path in stranger:
        header, arrays = read_parts(path)
        table = json.loads(header)
        for name in [name for name in table if name != "__metadata__"]:
            first, last = table[name]["data_offsets"]
            filled = np.resize(np.frombuffer(payload, np.uint8), last - first).tobytes()
            write_parts(path, header, arrays[:first] + filled + arrays[last:])
            sign_again(path)
            watch.load(path)
            # In its place, an array of another name, type and length.
            other = {"dtype": "U8", "shape": [last - first], "data_offsets": [first, last]}
            for changed in ({**table, name: other}, replaced(table, (name,), True, PICKLE)):
                write_parts(path, json.dumps(changed).encode(), arrays)
                sign_again(path)
                watch.load(path)


def test_every_entry_of_the_header(stranger, watch):
    path = stranger[0]
    metadata = read_metadata(path)
    for name in metadata:
        for content in (*TEXTS, *NODES, [], 7, {"a": {"b": PICKLE}}, "[" * 100_000):
            write_metadata(path, {**metadata, name: content}, signed=name != "checksum")
            loaded = watch.load(path)
            # What is only for readers is not looked at.
            assert loaded is None or name in ("steps", "versions")
        write_metadata(path, {key: value for key, value in metadata.items() if key != name})
        assert watch.load(path) is None


def test_other_files(stranger, watch, tmp_path, phases):
    path = stranger[0]
    whole = path.read_bytes()
    torch.save({"a": torch.zeros(2)}, tmp_path / "torch")
    joblib.dump(Pickled(), tmp_path / "joblib")
    phases[0].save(tmp_path / "set")
    others = [(tmp_path / name).read_bytes() for name in ("torch", "joblib", "set")]
    for data in (b"", b"abc", PICKLE.encode("latin-1"), *others):
        path.write_bytes(data)
        assert watch.load(path) is None
    for length in np.linspace(0, len(whole) - 1, 40).astype(int):
        path.write_bytes(whole[:length])
        assert watch.load(path) is None
    path.write_bytes(whole + b"more")
    assert watch.load(path) is None


def test_errors_say_what_a_file_is(stranger, tmp_path, phases):
    joblib.dump([1], tmp_path / "a.joblib")
    with pytest.raises(ValueError, match="a.joblib is no model .* joblib.load reads"):
        glassclf.load(tmp_path / "a.joblib")
    phases[0].save(tmp_path / "set.safetensors")
    with pytest.raises(ValueError, match="set.safetensors holds configurations, not a model"):
        glassclf.load(tmp_path / "set.safetensors")
    write_parts(tmp_path / "foreign", b'{"__metadata__": {"format": "pt"}}', b"")
    with pytest.raises(ValueError, match="foreign is a safetensors file, but no model"):
        glassclf.load(tmp_path / "foreign")
    path = stranger[0]
    metadata = read_metadata(path)
    write_metadata(path, {**metadata, "format_version": "99"})
    with pytest.raises(ValueError, match="has version '99' of the format, .* update glassclf"):
        glassclf.load(path)
    write_metadata(path, {**metadata, "model": 3})
    with pytest.raises(ValueError, match="cannot be loaded.*holds int, not an estimator"):
        glassclf.load(path)
    write_metadata(path, {**metadata, "model": {"network": 3}})
    with pytest.raises(ValueError, match="the name of a class is 3, not a string"):
        glassclf.load(path)
    write_metadata(path, {**metadata, "versions": [1]})
    with pytest.raises(ValueError, match="damaged: .*its versions are no table"):
        glassclf.load(path)


def test_strings_do_not_ask_for_more_room_than_they_need(phases, tmp_path):
    X, y, _ = phases
    path = tmp_path / "model.safetensors"
    model = LogisticRegression().fit(X.info["temperature"][:, None], y)
    glassclf.save(model, path)
    replace_in_header(path, model.classes_.dtype.str, "<U300000000")
    with pytest.raises(ValueError, match="strings of <U300000000 with at most 6 characters"):
        glassclf.load(path)
