#!/bin/sh
# Makes the certificates of this folder with the openssl program (3.0 or newer), and expected.tsv:
# what that program says about each (expected.sh). Run by hand when a case is added; the results are
# committed, so that tests need neither this script nor a clock. Keys here guard nothing.
set -eu
cd "$(dirname "$0")"
rm -f ./*.pem ./*.key expected.tsv
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# issue NAME KEY-OPTIONS SUBJECT EXTENSIONS...: a self-signed certificate. Extensions are "name=value".
issue() {
	name=$1 key=$2 subject=$3
	shift 3
	add=
	for extension in "$@"; do
		add="$add -addext $extension"
	done
	# shellcheck disable=SC2086
	openssl genpkey $key -out "$work/$name.key" 2>/dev/null
	# shellcheck disable=SC2086
	openssl req -x509 -new -utf8 -config "$work/req.cnf" -key "$work/$name.key" \
		-subj "$subject" -days 397 $add $options -out "$name.pem"
}
options=
# issue_with REQ-OPTIONS NAME ...: the same with more options of `openssl req`.
issue_with() {
	options=$1
	shift
	issue "$@"
	options=
}

cat > "$work/req.cnf" <<'EOF'
oid_section = oids
[oids]
examplePrivate = 1.3.6.1.4.1.99999.1
[req]
distinguished_name = dn
string_mask = utf8only
[dn]
EOF

# --- every key type of ACM, and others ---------------------------------------------------------

rsa="-algorithm RSA -pkeyopt rsa_keygen_bits:"
ec="-algorithm EC -pkeyopt ec_param_enc:named_curve -pkeyopt ec_paramgen_curve:"
for bits in 1024 2048 3072 4096 1536 2050; do
	issue "rsa-$bits" "$rsa$bits" "/CN=rsa-$bits.example.com" \
		"subjectAltName=DNS:rsa-$bits.example.com"
done
for curve in prime256v1 secp384r1 secp521r1 secp256k1 brainpoolP256r1; do
	issue "ec-$curve" "$ec$curve" "/CN=ec-$curve.example.com" \
		"subjectAltName=DNS:ec-$curve.example.com"
done
issue ec-explicit "-algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -pkeyopt ec_param_enc:explicit" \
	/CN=explicit.example.com
issue ed25519 "-algorithm ED25519" /CN=ed25519.example.com
issue ed448 "-algorithm ED448" /CN=ed448.example.com
issue rsa-pss "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048" /CN=pss.example.com
p256="${ec}prime256v1"
issue_with -sha1 sha1 "${rsa}2048" /CN=sha1.example.com
issue_with -sha384 sha384 "${rsa}2048" /CN=sha384.example.com
issue_with -sha512 sha512-ecdsa "$p256" /CN=sha512.example.com

# --- names --------------------------------------------------------------------------------------

issue subject-none "$p256" / "subjectAltName=critical,DNS:only-a-san.example.com"
issue subject-multivalued "$p256" "/C=DE/O=Example GmbH/CN=multi.example.com+OU=Research+serialNumber=42"
issue subject-escaped "$p256" '/O= edge, "quoted" <a>;b\\c \+ d /OU=#hash/CN=escaped.example.com'
issue subject-utf8 "$p256" "/C=JP/O=例え株式会社/L=Zürich/CN=utf8.example.com"
issue subject-two-cns "$p256" "/CN=first.example.com/O=Example/CN=last.example.com"
issue subject-unknown-oid "$p256" "/O=Example/examplePrivate=private attribute/CN=oid.example.com"
issue subject-long "$p256" "/O=$(printf '%060d' 1)$(for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do printf '/OU=%060d' $i; done)/CN=long.example.com"
cp "$work/req.cnf" "$work/utf8.cnf"
sed 's/utf8only/nombstr/' "$work/utf8.cnf" > "$work/req.cnf"
issue subject-t61 "$p256" "/O=Bäckerei Müller/CN=t61.example.com"
sed 's/utf8only/MASK:0x802/' "$work/utf8.cnf" > "$work/req.cnf"
issue subject-bmp "$p256" "/O=例え株式会社/CN=bmp.example.com"
cp "$work/utf8.cnf" "$work/req.cnf"

# --- alternative names, usages, constraints ------------------------------------------------------

issue san-wildcard "$p256" "/CN=*.example.com" \
	"subjectAltName=DNS:*.example.com,DNS:example.com,DNS:*.eu.example.com"
issue san-kinds "$p256" /CN=kinds.example.com \
	"subjectAltName=DNS:kinds.example.com,IP:192.0.2.17,IP:2001:db8::17,IP:::1,email:pki@example.com,URI:spiffe://example.com/ns/prod,RID:1.2.3.4,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:upn@example.com"
names=$(for i in $(seq 1 100); do printf ',DNS:host-%d.example.com' "$i"; done)
issue san-100 "$p256" /CN=host-1.example.com "subjectAltName=${names#,}"
issue san-none "$p256" /CN=no-san.example.com
issue usages "$p256" /CN=usages.example.com \
	"keyUsage=critical,digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyAgreement,keyCertSign,cRLSign,encipherOnly,decipherOnly" \
	"extendedKeyUsage=serverAuth,clientAuth,codeSigning,emailProtection,timeStamping,OCSPSigning,ipsecEndSystem,ipsecTunnel,ipsecUser,anyExtendedKeyUsage,1.3.6.1.4.1.99999.2"
issue usages-server "$p256" /CN=server.example.com keyUsage=digitalSignature \
	extendedKeyUsage=serverAuth basicConstraints=critical,CA:FALSE
issue ocsp-1001 "$p256" /CN=ocsp.example.com \
	"authorityInfoAccess=OCSP;URI:http://short.example/,OCSP;URI:http://ocsp.example/$(printf '%0981d' 0),caIssuers;URI:http://ca.example/$(printf '%01200d' 0)"

# --- version 1: openssl x509 makes it of a request, when there is no extension --------------------

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$work/version-1.key"
openssl req -new -config "$work/req.cnf" -key "$work/version-1.key" -subj /CN=version1.example.com |
	openssl x509 -req -key "$work/version-1.key" -days 397 -out version-1.pem 2> /dev/null

# --- serial numbers and dates: openssl ca takes them literally ------------------------------------

issue_with "-set_serial 0x0fac17" serial-leading-nibble "$p256" /CN=nibble.example.com
issue_with "-set_serial 0x8fac17" serial-high-bit "$p256" /CN=high.example.com
issue_with "-set_serial 0" serial-zero "$p256" /CN=zero.example.com
issue_with "-set_serial -1" serial-negative-one "$p256" /CN=minus1.example.com
issue_with "-set_serial -256" serial-negative "$p256" /CN=minus256.example.com
issue_with "-set_serial 0xff00112233445566778899aabbccddeeff001122" serial-20-octets "$p256" \
	/CN=serial20.example.com
issue_with "-set_serial 0x7f00112233445566778899aabbccddeeff00112233445566778899aabbccddee" serial-32-octets "$p256" /CN=serial32.example.com
issue_with "-set_serial 0xff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" serial-33-octets "$p256" /CN=serial33.example.com

cat > "$work/ca.cnf" <<EOF
[ca]
default_ca = here
[here]
new_certs_dir = $work
database = $work/index
serial = $work/serial
default_md = sha256
policy = any
email_in_dn = yes
unique_subject = no
preserve = yes
[any]
commonName = supplied
EOF
# dated NAME START END
dated() {
	: > "$work/index"
	echo 1000 > "$work/serial"
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$work/$1.key"
	openssl req -new -config "$work/req.cnf" -key "$work/$1.key" -subj "/CN=$1.example.com" \
		-out "$work/$1.csr"
	openssl ca -batch -notext -config "$work/ca.cnf" -selfsign -keyfile "$work/$1.key" \
		-in "$work/$1.csr" -startdate "$2" -enddate "$3" -out "$1.pem" 2> /dev/null
}
dated dates-before-1970 19500101000000Z 19691231235959Z
dated dates-1949 19490630120000Z 20500101000000Z
dated dates-2049 20240229235959Z 20491231235959Z
dated dates-9999 20260101000000Z 99991231235959Z

# --- what no tool issues: put together by hand, signed with nonsense ------------------------------

# compose NAME SERIAL SIGNATURE-OID ISSUER-VALUE NOT-BEFORE NOT-AFTER [EXTENSION-LINES]
compose() {
	openssl ec -in "$work/san-none.key" -pubout -outform DER -out "$work/spki.der" 2> /dev/null
	cat > "$work/compose.cnf" <<EOF
asn1 = SEQUENCE:certificate
[certificate]
tbs = SEQUENCE:tbs
alg = SEQUENCE:alg
sig = FORMAT:HEX,BITSTRING:00112233
[alg]
oid = OID:$3
[tbs]
version = EXPLICIT:0C,INTEGER:2
serial = INTEGER:$2
alg = SEQUENCE:alg
issuer = SEQUENCE:issuer
validity = SEQUENCE:validity
subject = SEQUENCE:subject
spki = SEQUENCE:spki
${7:+extensions = EXPLICIT:3C,SEQUENCE:extensions}
[validity]
from = $5
to = $6
[issuer]
rdn = SET:issuer_rdn
[issuer_rdn]
pair = SEQUENCE:issuer_pair
[issuer_pair]
type = OID:2.5.4.10
value = $4
[subject]
[spki]
alg = SEQUENCE:spki_alg
key = FORMAT:HEX,BITSTRING:$(tail -c 65 "$work/spki.der" | od -An -v -tx1 | tr -d ' \n')
[spki_alg]
type = OID:1.2.840.10045.2.1
curve = OID:1.2.840.10045.3.1.7
${7:-}
EOF
	openssl asn1parse -genconf "$work/compose.cnf" -noout -out "$work/$1.der"
	openssl x509 -inform DER -in "$work/$1.der" -out "$1.pem"
}
t1=UTCTIME:260101000000Z t2=UTCTIME:270101000000Z
sha256rsa=1.2.840.113549.1.1.11
compose signature-unknown 7 1.3.6.1.4.1.99999.3 UTF8:Nobody $t1 $t2
compose name-universal 8 $sha256rsa FORMAT:UTF8,UNIV:例え𐍈 $t1 $t2
compose name-bitstring 9 $sha256rsa FORMAT:HEX,BITSTRING:0102 $t1 $t2
compose dates-general-1899 10 $sha256rsa UTF8:Old GENTIME:18991231235959Z GENTIME:19691231235959Z
compose san-directory 11 $sha256rsa UTF8:Dir $t1 $t2 "[extensions]
san = SEQUENCE:san
[san]
oid = OID:2.5.29.17
value = OCTWRAP,SEQUENCE:names
[names]
dir = EXPLICIT:4,SEQUENCE:subject_dir
ip = IMPLICIT:7,FORMAT:HEX,OCT:0a000001ff
dns = IMPLICIT:2,FORMAT:ASCII,IA5:evil\\\\x00name
[subject_dir]
rdn = SET:dir_rdn
[dir_rdn]
pair = SEQUENCE:dir_pair
[dir_pair]
type = OID:2.5.4.3
value = UTF8:directory"
compose san-twice 12 $sha256rsa UTF8:Twice $t1 $t2 "[extensions]
one = SEQUENCE:san
two = SEQUENCE:san
[san]
oid = OID:2.5.29.17
value = OCTWRAP,SEQUENCE:names
[names]
dns = IMPLICIT:2,IA5:twice.example.com"
compose san-4097 13 $sha256rsa UTF8:Many $t1 $t2 "[extensions]
san = SEQUENCE:san
[san]
oid = OID:2.5.29.17
value = OCTWRAP,SEQUENCE:names
[names]
$(for i in $(seq 1 4097); do echo "n$i = IMPLICIT:2,IA5:a"; done)"

# --- a chain and keys ---------------------------------------------------------------------------

# link NAME ISSUER EXTENSION
link() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$work/$1.key"
	openssl req -new -config "$work/req.cnf" -key "$work/$1.key" \
		-subj "/O=Example/CN=$1" -addext "$3" -out "$work/$1.csr"
	openssl x509 -req -in "$work/$1.csr" -CA "$2.pem" -CAkey "$work/$2.key" -days 3650 \
		-copy_extensions copyall -out "$1.pem" 2> /dev/null
}
issue chain-root "$p256" /O=Example/CN=chain-root basicConstraints=critical,CA:TRUE
link chain-intermediate chain-root basicConstraints=critical,CA:TRUE,pathlen:0
link chain-leaf chain-intermediate subjectAltName=DNS:leaf.example.com
issue chain-root-same-name "$p256" /O=Example/CN=chain-root basicConstraints=critical,CA:TRUE
cp "$work/chain-leaf.key" leaf.key
cp "$work/chain-root.key" other.key
openssl pkcs8 -topk8 -in leaf.key -passout pass:secret -out leaf-encrypted.key
openssl ec -in leaf.key -out leaf-sec1.key 2> /dev/null

./expected.sh > expected.tsv
