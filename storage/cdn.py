"""Links through a CDN in front of the bucket."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from botocore.signers import CloudFrontSigner
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from heygem.errors import StorageMissing
from heygem.settings import Settings
from storage.base import Meta, disposition


def signed(settings: Settings, key: str, meta: Meta, expires: float) -> str:
    """A link that CloudFront checks itself, by the private key of the settings. Raises StorageMissing."""
    private = _private_key(settings)
    shape = {"response-content-disposition": disposition(meta.name), "response-content-type": meta.kind}
    url = f"{settings.cdn_url}/{quote(key)}?{urlencode(shape, quote_via=quote)}"
    signer = CloudFrontSigner(
        settings.cdn_key_id, lambda policy: private.sign(policy, padding.PKCS1v15(), hashes.SHA1())
    )  # SHA-1 is what CloudFront asks for
    return signer.generate_presigned_url(url, date_less_than=datetime.fromtimestamp(expires, UTC))


def moved(settings: Settings, url: str) -> str:
    """The same signed link through a CDN that hands path and query on: the store goes on checking the signature."""
    if not settings.cdn_url:
        return url
    to, link = urlsplit(settings.cdn_url), urlsplit(url)
    return urlunsplit((to.scheme, to.netloc, to.path + link.path, link.query, ""))


def _private_key(settings: Settings) -> rsa.RSAPrivateKey:
    try:
        assert settings.cdn_key_file
        key = serialization.load_pem_private_key(settings.cdn_key_file.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise StorageMissing(what="HEYGEM_CDN_KEY_FILE (RSA, PEM)")
    return key
