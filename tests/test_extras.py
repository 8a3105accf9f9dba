import pytest

from glassclf._extras import import_extra


def test_present_module_is_returned():
    assert import_extra("json", "io", "reading").loads("1") == 1


def test_missing_module_names_the_extra():
    with pytest.raises(ImportError, match=r'dreaming needs nowhere: pip install "glassclf\[io\]"'):
        import_extra("nowhere.at_all", "io", "dreaming")
