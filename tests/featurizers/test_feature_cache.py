"""Features that are kept on disk are those that would be computed."""

import pickle
import shutil

import joblib
import numpy as np
import pytest
from sklearn.base import clone

from glassclf.configurations import Configuration, Configurations
from glassclf.featurizers import GraphFeaturizer, ImageFeaturizer, cache
from glassclf.featurizers.cache import SHARD_SIZE
from glassclf.testing import two_phases
from glassclf.testing.comparison import assert_equal

FEATURIZERS = [
    ImageFeaturizer(n_pixels=8),
    GraphFeaturizer(n_neighbors=4),
    GraphFeaturizer(r_max=1.5),
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A set in memory, and opened from a file."""
    X = two_phases(n_runs=12)[0]
    path = tmp_path_factory.mktemp("store") / "set.safetensors"
    X.save(path)
    return X, Configurations.open(path)


def lazy_and_eager(featurizer, X, **parameters):
    eager = clone(featurizer).fit(X)
    lazy = clone(featurizer).set_params(lazy=True, **parameters).fit(X)
    return lazy.transform(X), eager.transform(X)


def assert_same(lazy, eager):
    """The features of a sequence, computed at once, are bit for bit those of the eager set."""
    assert len(lazy) == len(eager)
    computed = lazy.compute(np.arange(len(lazy)))
    assert_equal(computed, eager, "lazy features")


def shards(folder):
    return sorted(folder.rglob("*.safetensors"))


@pytest.mark.parametrize("featurizer", FEATURIZERS)
def test_features_are_kept_on_disk(featurizer, tmp_path):
    X = Configurations(two_phases(n_runs=2)[0][np.arange(SHARD_SIZE + 6) % 4])
    X.save(tmp_path / "set")
    opened, cache = Configurations.open(tmp_path / "set"), tmp_path / "cache"
    lazy, eager = lazy_and_eager(featurizer, opened, cache=cache)
    assert shards(cache) == []
    part = lazy[[SHARD_SIZE + 5, 1]]
    assert_same(part, eager[[SHARD_SIZE + 5, 1]])
    files = shards(cache)
    assert [file.name for file in files] == ["000000.safetensors", "000001.safetensors"]
    before = [file.stat().st_mtime_ns for file in files]
    # Another process, another fold of the same file, another order.
    again, _ = lazy_and_eager(featurizer, opened[np.arange(SHARD_SIZE)[::-1]], cache=cache)
    assert_same(pickle.loads(pickle.dumps(again)), eager[np.arange(SHARD_SIZE)[::-1]])
    assert_same(lazy, eager)
    assert [file.stat().st_mtime_ns for file in shards(cache)] == before
    # Other features stand beside them.
    lazy_and_eager(featurizer, opened[:5], cache=cache)[0][:2].compute([0])
    assert len({file.parent for file in shards(cache)}) == 1
    lazy_and_eager(featurizer, Configurations(opened[:5]), cache=cache)[0].compute([0])
    assert len({file.parent for file in shards(cache)}) == 2


@pytest.mark.parametrize("featurizer", FEATURIZERS)
def test_a_damaged_shard_is_computed_again(featurizer, stored, tmp_path):
    lazy, eager = lazy_and_eager(featurizer, stored[1], cache=tmp_path)
    assert_same(lazy, eager)
    (file,) = shards(tmp_path)
    good = file.read_bytes()
    rng = np.random.default_rng(0)
    flipped = [bytearray(good) for _ in range(4)]
    for content, place in zip(flipped, rng.integers(0, len(good), 4)):
        content[place] ^= 1 << int(rng.integers(8))
    for content in (b"", good[:100], good[:-1], bytes(len(good)), *flipped):
        file.write_bytes(content)
        assert_same(lazy[:], eager)
        assert file.read_bytes() == good


def test_several_processes_fill_one_cache(stored, tmp_path):
    lazy, eager = lazy_and_eager(ImageFeaturizer(n_pixels=8), stored[1], cache=tmp_path)
    parts = joblib.Parallel(n_jobs=2)(
        joblib.delayed(type(lazy).compute)(lazy, np.arange(24)) for _ in range(4)
    )
    for part in parts:
        np.testing.assert_array_equal(part, eager)
    assert len(shards(tmp_path)) == 1


def repeated(path, n=2 * SHARD_SIZE + 6):
    """An opened set of few different configurations."""
    X = two_phases(n_runs=2)[0]
    X[np.arange(n) % len(X)].save(path)
    return Configurations.open(path)


def random_set(sizes, n_types=2):
    rng = np.random.default_rng(0)
    return Configurations(
        Configuration(rng.random((n, 2)) * 5, np.arange(n) % n_types, [5.0, 5.0]) for n in sizes
    )


@pytest.mark.parametrize("featurizer", FEATURIZERS)
def test_configurations_that_are_not_in_x_do_no_harm(featurizer, tmp_path):
    # More types than fit saw, and fewer particles than neighbours are asked for.
    sets = [random_set([30, 30]), random_set([30, 30], n_types=3), random_set([3])]
    for name, order in (("last", sets), ("first", sets[::-1])):
        Configurations.concatenate(order).save(tmp_path / name)
        opened = Configurations.open(tmp_path / name)
        rows = {"last": [1, 0], "first": [3, 4]}[name]
        lazy, eager = lazy_and_eager(featurizer, opened[rows], cache=tmp_path / "cache")
        assert_same(lazy, eager)
        assert_same(lazy[:], eager)


def test_errors_name_the_rows_of_x(tmp_path):
    random_set([30, 30, 5, 30]).save(tmp_path / "set")
    X = Configurations.open(tmp_path / "set")[[3, 2]]
    for folder in (None, tmp_path / "cache"):
        graphs = GraphFeaturizer(8, lazy=True, cache=folder).fit_transform(X)
        with pytest.raises(ValueError, match="configuration 1: n_neighbors must be smaller"):
            graphs.compute([1])
        assert len(graphs.compute([0])) == 1
    few = GraphFeaturizer(8, lazy=True, cache=tmp_path / "few").fit_transform(random_set([5, 5]))
    with pytest.raises(ValueError, match="configuration 0: n_neighbors must be smaller"):
        few.compute([0])


class NoMemory(ImageFeaturizer):
    def _featurize(self, configuration):
        raise MemoryError


def test_a_shard_without_memory_is_not_written(tmp_path):
    images = NoMemory(8, lazy=True, cache=tmp_path).fit_transform(random_set([5, 5]))
    with pytest.raises(MemoryError):
        images.compute([0])
    assert shards(tmp_path) == []


@pytest.mark.parametrize("featurizer", FEATURIZERS)
def test_shards_are_bounded_in_number_and_bytes(featurizer, tmp_path, monkeypatch):
    opened = repeated(tmp_path / "set")
    lazy, eager = lazy_and_eager(featurizer, opened)
    per_configuration = int(lazy._featurizer._n_bytes(opened)[0])
    for n_members, n_shards in ((None, 3), (40, 4), (1, len(opened)), (0.1, len(opened))):
        if n_members is not None:
            monkeypatch.setattr(cache, "SHARD_BYTES", n_members * per_configuration)
        folder = tmp_path / str(n_members)
        cached, _ = lazy_and_eager(featurizer, opened, cache=folder)
        assert_same(cached[::-1], eager[::-1])
        assert len(shards(folder)) == n_shards
    # Those of another division stand elsewhere.
    assert_same(lazy_and_eager(featurizer, opened, cache=tmp_path / "None")[0], eager)
    assert len({file.parent for file in shards(tmp_path / "None")}) == 2


def test_the_bytes_of_features_are_told_about_right(gas):
    X = gas(300, [10.0, 10.0, 10.0], n_configurations=2)
    images = ImageFeaturizer(16).fit(X)
    assert images._n_bytes(X).sum() == images.transform(X).nbytes
    for featurizer in (GraphFeaturizer(12), GraphFeaturizer(), GraphFeaturizer(r_max=2.4)):
        graphs = featurizer.fit_transform(X)
        held = graphs.neighbors.nbytes + graphs.vectors.nbytes + graphs.distances.nbytes
        assert held / 2 < featurizer._n_bytes(X).sum() < held * 2


@pytest.mark.filterwarnings("ignore:no two particles")
def test_graphs_without_bonds_are_kept(gas, tmp_path):
    X = Configurations([*gas(2, [9.0, 9.0]), *gas(30, [9.0, 9.0]), *gas(2, [9.0, 9.0])])
    for rows in (slice(None), [0, 2]):
        lazy, eager = lazy_and_eager(GraphFeaturizer(r_max=0.5), X[rows], cache=tmp_path)
        assert_same(lazy, eager)
        assert_same(lazy[:], eager)


class Doubled(ImageFeaturizer):
    def _featurize(self, configuration):
        return 2 * super()._featurize(configuration)


def test_featurizers_of_another_class_have_other_features(stored, tmp_path):
    X = stored[1]
    images = ImageFeaturizer(8, lazy=True, cache=tmp_path).fit_transform(X)
    doubled = Doubled(8, lazy=True, cache=tmp_path).fit_transform(X)
    assert images.fingerprint() != doubled.fingerprint()
    np.testing.assert_array_equal(doubled.compute([0]), 2 * images.compute([0]))


def test_what_fit_saw_of_the_boxes_makes_no_other_features(stored, tmp_path):
    X = stored[0]
    wide = Configurations(X)
    wide.cells = wide.cells * 1.02
    fitted = [ImageFeaturizer(8, lazy=True, cache=tmp_path).fit(one) for one in (X, wide)]
    first, second = (featurizer.transform(X) for featurizer in fitted)
    assert fitted[0].pixel_size_[0] != fitted[1].pixel_size_[0]
    assert first.fingerprint() == second.fingerprint()
    np.testing.assert_array_equal(first.compute([3]), second.compute([3]))
    assert len(shards(tmp_path)) == 1


@pytest.mark.parametrize("featurizer", FEATURIZERS)
def test_a_set_that_is_changed_later_leaves_cached_features_alone(featurizer, tmp_path):
    X = Configurations(two_phases(n_runs=2)[0])
    lazy, eager = lazy_and_eager(featurizer, X, cache=tmp_path)
    X.positions[:] *= 0.5
    assert_same(lazy, eager)
    changed, eager = lazy_and_eager(featurizer, X, cache=tmp_path)
    assert_same(changed, eager)


@pytest.mark.parametrize("featurizer", FEATURIZERS)
def test_a_shard_is_not_taken_for_another(featurizer, tmp_path):
    opened = repeated(tmp_path / "set")
    opened[::-1].save(tmp_path / "other")
    lazy, eager = lazy_and_eager(featurizer, opened, cache=tmp_path / "cache")
    assert_same(lazy, eager)
    first, second, last = shards(tmp_path / "cache")
    other, _ = lazy_and_eager(
        featurizer, Configurations.open(tmp_path / "other"), cache=tmp_path / "others"
    )
    other.compute([0])
    for source in (second, last, *shards(tmp_path / "others")):
        good = first.read_bytes()
        shutil.copy(source, first)
        assert_same(lazy[:], eager)
        assert first.read_bytes() == good


def test_few_shards_are_open_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "N_OPEN", 2)
    lazy, eager = lazy_and_eager(
        ImageFeaturizer(n_pixels=2), repeated(tmp_path / "set"), cache=tmp_path / "cache"
    )
    shelf = []
    for shard in (0, 1, 2, 0, 0, 2, 1):
        np.testing.assert_array_equal(
            lazy[[shard * SHARD_SIZE]].compute([0])[0], eager[shard * SHARD_SIZE]
        )
        lazy.compute([shard * SHARD_SIZE])
        shelf.append(sorted(lazy._cache._open))
    assert shelf == [[0], [0, 1], [1, 2], [0, 2], [0, 2], [0, 2], [1, 2]]


def test_another_version_has_features_of_its_own(stored, tmp_path, monkeypatch):
    for version in ("1.0", "1.1", "1.0"):
        monkeypatch.setattr(cache, "version", {"glassclf": version}.get)
        ImageFeaturizer(8, lazy=True, cache=tmp_path).fit_transform(stored[1]).compute([0])
    assert len(shards(tmp_path)) == 2


def test_what_is_unpickled_trusts_no_file(stored, tmp_path):
    lazy, eager = lazy_and_eager(ImageFeaturizer(n_pixels=8), stored[1], cache=tmp_path)
    assert_same(lazy, eager)
    pickled = pickle.dumps(lazy)
    assert pickled == pickle.dumps(lazy[:])
    (file,) = shards(tmp_path)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert_same(pickle.loads(pickled), eager)


def test_a_relative_folder_is_found_when_transform_is_called(stored, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = ImageFeaturizer(8, lazy=True, cache="features").fit_transform(stored[1])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    images.compute([0])
    assert len(shards(tmp_path / "features")) == 1
