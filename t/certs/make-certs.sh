#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# How the files in this folder were made, once (OpenSSL 3.0). Not run by the build: tests want fixed fingerprints.
# All are self-signed unless said. The keys protect nothing.
set -e
cd "$(dirname "$0")"
days=36500 # until 2126: a test that starts to fail by the calendar is no test

# make NAME HASH SUBJECT: a certificate for NAME.key
make_cert() {
    openssl req -new -x509 -key "$1.key" -out "$1.pem" -days $days "-$2" -subj "/CN=$3" -set_serial 0x"$(openssl rand -hex 8)"
}
ec() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:"${2:-P-256}" -out "$1.key"; }
rsa() { openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:"${2:-2048}" -out "$1.key"; }

ec ue-ecdsa;         make_cert ue-ecdsa sha256 ue
rsa ue-rsa;          make_cert ue-rsa sha256 ue
ec other-ecdsa;      make_cert other-ecdsa sha256 other
rsa agw-rsa;         make_cert agw-rsa sha256 agw
ec agw-ecdsa;        make_cert agw-ecdsa sha256 agw
ec agw-sha384 P-384; make_cert agw-sha384 sha384 agw      # FPR-07: the signature's hash is not sha-256
rsa ue-sha1;         make_cert ue-sha1 sha1 ue            # what an old RCS stack makes
rsa ue-rsa1024 1024; make_cert ue-rsa1024 sha1 ue         # and an older one
ec ue-p521 P-521;    make_cert ue-p521 sha512 ue
openssl genpkey -algorithm ED25519 -out ue-ed25519.key
openssl req -new -x509 -key ue-ed25519.key -out ue-ed25519.pem -days $days -subj /CN=ue

# Needs a passphrase: must be refused (nobody is there to type it).
openssl pkcs8 -topk8 -in agw-ecdsa.key -out agw-locked.key -v2 aes-256-cbc -passout pass:locked

# Long expired.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ec ue-expired
: >"$tmp/index"
openssl req -new -key ue-expired.key -subj /CN=ue -out "$tmp/csr"
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\nrand_serial=yes\n[p]\ncommonName=supplied\n' \
    "$tmp" "$tmp" >"$tmp/conf"
openssl ca -batch -notext -config "$tmp/conf" -selfsign -keyfile ue-expired.key -in "$tmp/csr" -out ue-expired.pem \
    -startdate 20200101000000Z -enddate 20200201000000Z

# A leaf signed by other-ecdsa, followed by its issuer: only the leaf's fingerprint counts (TLS-16).
ec ue-chain
openssl req -new -key ue-chain.key -subj /CN=ue-leaf -out "$tmp/csr"
openssl x509 -req -in "$tmp/csr" -CA other-ecdsa.pem -CAkey other-ecdsa.key -set_serial 0x5ca1ab1e -days $days -sha256 -out ue-chain.pem
cat other-ecdsa.pem >>ue-chain.pem
