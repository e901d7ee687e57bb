"""A body that was compressed piece by piece is read like any other, and each piece comes back."""

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from servicelogs.opensearch.packed import Packer, gzipped

TEXTS = st.lists(
    st.one_of(st.binary(max_size=50), st.binary(max_size=9).map(lambda text: text * 5_000)),
    max_size=6,
)


@given(texts=TEXTS)
def test_a_body_is_one_gzip_member_with_the_text_of_all_its_pieces(texts: list[bytes]) -> None:
    packer = Packer()
    body = gzipped([packer.pack(text) for text in texts])
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    assert inflate.decompress(body) == b"".join(texts)
    assert inflate.eof
    assert inflate.unused_data == b""


@given(data=st.data(), texts=TEXTS, others=TEXTS)
def test_pieces_of_several_bodies_make_a_body_in_any_order(
    data: st.DataObject, texts: list[bytes], others: list[bytes]
) -> None:
    packers = Packer(), Packer()
    packed = [
        (text, packer.pack(text))
        for packer, some in zip(packers, (texts, others), strict=True)
        for text in some
    ]
    chosen = data.draw(st.permutations(packed))[: data.draw(st.integers(0, len(packed)))]
    body = gzipped(piece for _, piece in chosen)
    assert gzip.decompress(body) == b"".join(text for text, _ in chosen)


@given(texts=TEXTS)
def test_each_piece_gives_its_text_back(texts: list[bytes]) -> None:
    packer = Packer()
    packed = [packer.pack(text) for text in texts]
    assert [piece.text() for piece in packed] == texts
    assert [piece.size for piece in packed] == [*map(len, texts)]
