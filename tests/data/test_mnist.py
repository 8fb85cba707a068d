"""MNIST and Fashion-MNIST: where they are looked for, what is accepted, and the real ones where they are."""

import dataclasses
import importlib
import subprocess
import sys

import numpy as np
import pytest

from lucidgrad.data import fashion_mnist, mnist, write_idx
from lucidgrad.data.download import RemoteFile
from lucidgrad.data.idx import idx_sha256
from lucidgrad.errors import ArgumentError, DataError, DownloadError

module = importlib.import_module("lucidgrad.data.mnist")  # the package has the function under this name
REAL = {"mnist": module.MNIST, "fashion_mnist": module.FASHION_MNIST}
PARTS = {"train-labels": "idx1", "t10k-labels": "idx1", "train-images": "idx3", "t10k-images": "idx3"}


def tiny_arrays(seed):
    rng = np.random.default_rng(seed)
    return {
        part: rng.integers(0, 10 if rank == "idx1" else 256, (n, 28, 28)[: int(rank[3])], np.uint8)
        for part, rank in PARTS.items()
        for n in [30 if part.startswith("train") else 20]
    }


ARRAYS = {"mnist": tiny_arrays(0), "fashion_mnist": tiny_arrays(1)}


def save(folder, name="mnist", parts=PARTS, pattern="{part}-{rank}-ubyte.gz"):
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        write_idx(folder / pattern.format(part=part, rank=PARTS[part]), ARRAYS[name][part])
    return folder


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path, mirror):
    """Stand-ins of 50 images each, published on a mirror of this machine; no folder of the user's is touched."""
    for constant, name in (("MNIST", "mnist"), ("FASHION_MNIST", "fashion_mnist")):
        files = {
            part: RemoteFile(f"{part}-{rank}-ubyte.gz", idx_sha256(array), 4 + 4 * int(rank[3]) + array.size)
            for (part, rank), array in zip(PARTS.items(), ARRAYS[name].values(), strict=True)
        }
        small = dataclasses.replace(
            getattr(module, constant), files=files, mirrors=(f"{mirror.url}{name}/",), system_folders=()
        )
        monkeypatch.setattr(module, constant, small)
    monkeypatch.setattr(module, "_PUBLICATIONS", (module.MNIST, module.FASHION_MNIST))
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "cache")
    for variable in ("LUCIDGRAD_DATA", "GRADLET_DATA"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def published(mirror, tmp_path):
    """The tiny MNIST can be had from the mirror."""
    for path in save(tmp_path / "published").iterdir():
        mirror.files[f"mnist/{path.name}"] = path.read_bytes()
    return mirror


def is_tiny(data, name="mnist"):
    images = ARRAYS[name]["train-images"].reshape(30, 784)
    return np.array_equal(np.rint(data.x_train * 255), images)


def test_images_are_rows_of_numbers_from_0_to_1_and_labels_whole_numbers(tmp_path):
    data = mnist(save(tmp_path / "here"))
    assert (data.x_train.shape, data.x_train.dtype) == ((30, 784), np.float32)
    assert (data.x_test.shape, data.y_test.shape) == ((20, 784), (20,))
    assert data.y_train.dtype == np.int64
    assert data.x_train.max() == 1.0
    assert data.x_train.min() == 0.0
    assert is_tiny(data)
    assert data.image_shape == (28, 28)
    assert len(data.class_names) == data.out_features == 10
    assert data.source == tmp_path / "here"


def test_the_bytes_stay_when_they_are_not_to_be_scaled(tmp_path):
    data = mnist(save(tmp_path), scaled=False)
    assert data.x_train.dtype == np.uint8
    assert np.array_equal(data.x_test, ARRAYS["mnist"]["t10k-images"].reshape(20, 784))


@pytest.mark.parametrize(
    "pattern", ["{part}-{rank}-ubyte", "{part}-{rank}-ubyte.gz", "{part}.{rank}-ubyte", "{part}.{rank}-ubyte.gz"]
)
@pytest.mark.parametrize("subfolder", ["", "mnist", "MNIST/raw"])
def test_files_are_found_by_any_of_their_names(tmp_path, pattern, subfolder):
    save(tmp_path / subfolder, pattern=pattern)
    assert is_tiny(mnist(str(tmp_path), download=False))


@pytest.mark.parametrize("subfolder", ["", "fashion_mnist", "fashion-mnist", "FashionMNIST/raw"])
def test_fashion_mnist_has_names_and_subfolders_of_its_own(tmp_path, subfolder):
    data = fashion_mnist(save(tmp_path / subfolder, "fashion_mnist"), download=False)
    assert is_tiny(data, "fashion_mnist")
    assert data.class_names[0] == "T-shirt/top"


def test_one_folder_can_hold_both(tmp_path):
    save(tmp_path / "mnist")
    save(tmp_path / "fashion_mnist", "fashion_mnist")
    assert is_tiny(mnist(tmp_path, download=False))
    assert is_tiny(fashion_mnist(tmp_path, download=False), "fashion_mnist")


def test_places_are_looked_at_in_order(tmp_path, monkeypatch):
    cache = save(tmp_path / "cache" / "mnist")
    assert mnist(download=False).source == cache
    gradlet = save(tmp_path / "gradlet")
    monkeypatch.setenv("GRADLET_DATA", str(gradlet))
    assert mnist(download=False).source == gradlet
    lucidgrad = save(tmp_path / "lucidgrad")
    monkeypatch.setenv("LUCIDGRAD_DATA", str(lucidgrad))
    assert mnist(download=False).source == lucidgrad
    explicit = save(tmp_path / "explicit")
    assert mnist(explicit, download=False).source == explicit


def test_the_folder_of_the_system_comes_last(tmp_path, monkeypatch):
    system = save(tmp_path / "system", "fashion_mnist")
    with_system = dataclasses.replace(module.FASHION_MNIST, system_folders=(str(system),))
    monkeypatch.setattr(module, "FASHION_MNIST", with_system)
    assert fashion_mnist(download=False).source == system
    assert fashion_mnist(save(tmp_path / "cache", "fashion_mnist"), download=False).source == tmp_path / "cache"


def test_a_folder_that_is_given_is_the_only_one(tmp_path):
    save(tmp_path / "cache")
    with pytest.raises(DownloadError, match="download=False forbids"):
        mnist(tmp_path / "empty", download=False)


def test_what_is_missing_is_downloaded_to_the_cache(tmp_path, published):
    data = mnist()
    assert is_tiny(data)
    assert data.source == tmp_path / "cache" / "mnist"
    assert len(published.requests) == 4
    assert is_tiny(mnist())
    assert len(published.requests) == 4


def test_a_download_goes_to_the_folder_that_was_named(tmp_path, published, monkeypatch):
    assert mnist(tmp_path / "explicit").source == tmp_path / "explicit" / "mnist"
    monkeypatch.setenv("LUCIDGRAD_DATA", str(tmp_path / "named"))
    assert mnist().source == tmp_path / "named" / "mnist"


def test_only_the_missing_files_are_downloaded(tmp_path, published):
    save(tmp_path / "some", parts=["train-labels", "train-images", "t10k-images"])
    assert is_tiny(mnist(tmp_path / "some"))
    assert [path for path, _ in published.requests] == ["/mnist/t10k-labels-idx1-ubyte.gz"]


def test_with_no_network_it_says_which_folder_to_fill_with_which_files(tmp_path, mirror):
    save(tmp_path / "cache", parts=["train-images"])
    with pytest.raises(DownloadError) as caught:
        mnist()
    message = str(caught.value)
    assert message.startswith(
        "mnist() expected the files train-labels-idx1-ubyte.gz, t10k-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz "
        f"in {tmp_path / 'cache' / 'mnist'}, got nothing there, and from the mirrors {mirror.url}mnist/: HTTP status"
    )
    assert "by hand" in message
    assert "LUCIDGRAD_DATA" in message


def test_files_that_came_before_the_network_went_are_not_called_missing(tmp_path, published):
    del published.files["mnist/t10k-images-idx3-ubyte.gz"]
    with pytest.raises(DownloadError, match=r"expected the files t10k-images-idx3-ubyte.gz in"):
        mnist()


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path, published, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("LUCIDGRAD_DATA", str(tmp_path / "file"))
    with pytest.raises(DownloadError, match=r"expected to be a folder that train-labels-idx1-ubyte.gz can be"):
        mnist()


def test_a_local_file_with_other_bytes_is_refused(tmp_path):
    folder = save(tmp_path)
    changed = ARRAYS["mnist"]["t10k-images"].copy()
    changed[3, 4, 5] ^= 1
    write_idx(folder / "t10k-images-idx3-ubyte.gz", changed)
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte.gz expected the published t10k-images of MNIST") as e:
        mnist(folder, download=False)
    assert idx_sha256(changed) in str(e.value)


def test_a_damaged_local_file_is_refused_and_not_fetched_over(tmp_path, published):
    folder = save(tmp_path / "here")
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz expected a whole gzip file"):
        mnist(folder)
    assert published.requests == []


def test_images_under_the_name_of_labels_are_refused(tmp_path):
    folder = save(tmp_path)
    write_idx(folder / "train-labels-idx1-ubyte.gz", ARRAYS["mnist"]["train-images"])
    with pytest.raises(DataError, match="expected labels, bytes of rank 1, got uint8 of rank 3"):
        mnist(folder)


def test_training_labels_under_the_name_of_test_labels_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("LUCIDGRAD_DATA", str(save(tmp_path)))
    write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", ARRAYS["mnist"]["train-labels"])
    with pytest.raises(DataError, match="expected the published t10k-labels of MNIST"):
        mnist()


def test_the_other_data_set_in_a_folder_that_was_given_is_said(tmp_path):
    save(tmp_path)
    with pytest.raises(DataError, match=r"expected the train-labels of Fashion-MNIST, got a file of MNIST. Put Fash"):
        fashion_mnist(tmp_path)


def test_the_other_data_set_in_a_usual_folder_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setenv("LUCIDGRAD_DATA", str(save(tmp_path / "named")))
    save(tmp_path / "cache" / "fashion_mnist", "fashion_mnist")
    assert is_tiny(fashion_mnist(download=False), "fashion_mnist")


def test_importing_the_data_imports_neither_the_network_nor_scikit_learn():
    code = (
        "import sys, lucidgrad.data; print(*{'sklearn', 'rich', 'urllib.request', 'platformdirs'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


def test_training_on_images_loads_nothing_about_tables_and_tables_are_there_when_asked_for():
    code = (
        "import sys, lucidgrad as lg; lg.data.mnist, lg.fit, lg.training.Checkpoint;"
        "print([m for m in sys.modules if m.startswith('lucidgrad.data.table') or m == 'importlib.metadata']);"
        "print(lg.data.open_table.__name__, lg.data.table.__name__, {'table', 'read_table'} <= set(dir(lg.data)));"
        "lg.data.tables"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["[]", "open_table lucidgrad.data.table True"]
    assert "module 'lucidgrad.data' has no attribute 'tables'" in done.stderr


@pytest.mark.parametrize("load", [mnist, fashion_mnist])
@pytest.mark.parametrize("folder", [5, b"data", ["data"]])
def test_a_folder_that_is_no_path_is_refused(load, folder):
    with pytest.raises(ArgumentError, match=rf"{load.__name__}\(folder\) expected the path of a folder, got "):
        load(folder)


# How often each digit is in the test part, as counted in the published file.
DIGITS_IN_TEST_PART = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_the_real_mnist_is_read_and_is_the_published_one(mnist_folder, monkeypatch):
    monkeypatch.setattr(module, "MNIST", REAL["mnist"])
    data = mnist(mnist_folder, download=False, scaled=False)
    assert (data.x_train.shape, data.x_test.shape) == ((60_000, 784), (10_000, 784))
    assert np.bincount(data.y_test).tolist() == DIGITS_IN_TEST_PART


def test_the_real_fashion_mnist_is_read_and_is_the_published_one(fashion_mnist_folder, monkeypatch):
    monkeypatch.setattr(module, "FASHION_MNIST", REAL["fashion_mnist"])
    data = fashion_mnist(fashion_mnist_folder, download=False, scaled=False)
    assert (data.x_train.shape, data.x_test.shape) == ((60_000, 784), (10_000, 784))
    assert np.bincount(data.y_test).tolist() == [1000] * 10


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_every_published_file_has_a_sum_and_a_mirror(name):
    assert len(REAL[name].mirrors) >= 2
    assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in REAL[name].mirrors)
    assert [len(file.sha256) for file in REAL[name].files.values()] == [64] * 4
    assert {file.size_bytes for file in REAL[name].files.values()} == {47_040_016, 7_840_016, 60_008, 10_008}
