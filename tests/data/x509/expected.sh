#!/bin/sh
# What the openssl program (3.0 or newer) says about each certificate of this folder: name, serial,
# SHA-256, notBefore, notAfter, subject, issuer. `./expected.sh | cmp - expected.tsv` finds whether
# another version of it thinks otherwise.
set -eu
cd "$(dirname "$0")"
for file in *.pem; do
	printf '%s' "${file%.pem}"
	openssl x509 -in "$file" -noout -serial -fingerprint -sha256 -startdate -enddate \
		-dateopt iso_8601 -subject -issuer -nameopt RFC2253,-esc_msb |
		sed 's/^[^=]*=//' | while IFS= read -r line; do printf '\t%s' "$line"; done
	printf '\n'
done
