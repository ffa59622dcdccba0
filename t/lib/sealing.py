# SPDX-License-Identifier: GPL-3.0-or-later
"""The sealed certificates of redis-schema/README.md, section 6, as somebody writes them who has only read that."""
import base64
import ctypes
import ctypes.util
import hashlib
import json
import ssl

import certs

_TAG = 16
_GET_TAG, _SET_TAG = 0x10, 0x11
_crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
_crypto.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
_crypto.EVP_aes_256_gcm.restype = ctypes.c_void_p


def key_id(key):
    return hashlib.sha256(b"e2ae-key-id" + key).hexdigest()[:16]


def redis_key(fingerprint):
    return "e2ae:cert:" + fingerprint.replace(" ", ":")


def _gcm(encrypt, key, nonce, name, data, tag):
    """(the other text, the tag); None when the tag is false."""
    context = ctypes.c_void_p(_crypto.EVP_CIPHER_CTX_new())
    out, length = ctypes.create_string_buffer(len(data) + _TAG), ctypes.c_int()
    cipher = ctypes.c_void_p(_crypto.EVP_aes_256_gcm())
    try:
        assert _crypto.EVP_CipherInit_ex(context, cipher, None, key, nonce, encrypt) == 1
        assert _crypto.EVP_CipherUpdate(context, None, ctypes.byref(length), name, len(name)) == 1
        assert _crypto.EVP_CipherUpdate(context, out, ctypes.byref(length), data, len(data)) == 1
        text = out.raw[:length.value]
        if not encrypt:
            assert _crypto.EVP_CIPHER_CTX_ctrl(context, _SET_TAG, _TAG, ctypes.create_string_buffer(tag)) == 1
        if _crypto.EVP_CipherFinal_ex(context, out, ctypes.byref(length)) != 1:
            return None
        tag_out = ctypes.create_string_buffer(_TAG)
        if encrypt:
            assert _crypto.EVP_CIPHER_CTX_ctrl(context, _GET_TAG, _TAG, tag_out) == 1
        return text, tag_out.raw[:_TAG]
    finally:
        _crypto.EVP_CIPHER_CTX_free(context)


def unseal(envelope, key):
    """The PEM in an envelope (JSON), checked as the specification asks."""
    value = json.loads(envelope)
    assert value["schema"] == 1 and value["cipher"] == "aes-256-gcm" and value["key-id"] == key_id(key), value
    nonce, sealed = base64.b64decode(value["nonce"]), base64.b64decode(value["sealed"])
    assert len(nonce) == 12, nonce
    opened = _gcm(0, key, nonce, redis_key(value["fingerprint"]).encode(), sealed[:-_TAG], sealed[-_TAG:])
    assert opened, "the tag is false"
    pem = opened[0].decode("ascii")
    leaf = ssl.PEM_cert_to_DER_cert(pem.partition(ssl.PEM_FOOTER)[0] + ssl.PEM_FOOTER)
    assert value["fingerprint"] == "sha-256 " + certs.fingerprint_of(leaf), value["fingerprint"]
    return pem


def seal(pair, key, nonce=bytes(range(12))):
    """The envelope of a certs.Pair, whose key file is PKCS #8 already."""
    with open(pair.cert, "rb") as cert, open(pair.key, "rb") as private:
        pem = cert.read() + private.read()
    fingerprint = pair.fingerprint()
    text, tag = _gcm(1, key, nonce, redis_key(fingerprint).encode(), pem, b"")
    return json.dumps({"schema": 1, "minor": 0, "fingerprint": fingerprint, "cipher": "aes-256-gcm",
                       "key-id": key_id(key), "nonce": base64.b64encode(nonce).decode(),
                       "sealed": base64.b64encode(text + tag).decode()})
