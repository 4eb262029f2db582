/* Algorithms and purposes by AWS's names. source: ACM 2015-12-08 KeyAlgorithm,
 * ExtendedKeyUsageName. */
#include "base/x509_internal.h"

#include <openssl/objects.h>
#include <stdio.h>

struct nid_name {
	int nid;
	const char *name;
};

static const struct nid_name signatures[] = {
	{NID_sha256WithRSAEncryption, "SHA256WITHRSA"},
	{NID_sha384WithRSAEncryption, "SHA384WITHRSA"},
	{NID_sha512WithRSAEncryption, "SHA512WITHRSA"},
	{NID_sha224WithRSAEncryption, "SHA224WITHRSA"},
	{NID_sha1WithRSAEncryption, "SHA1WITHRSA"},
	{NID_md5WithRSAEncryption, "MD5WITHRSA"},
	{NID_ecdsa_with_SHA256, "SHA256WITHECDSA"},
	{NID_ecdsa_with_SHA384, "SHA384WITHECDSA"},
	{NID_ecdsa_with_SHA512, "SHA512WITHECDSA"},
	{NID_ecdsa_with_SHA224, "SHA224WITHECDSA"},
	{NID_ecdsa_with_SHA1, "SHA1WITHECDSA"},
	{NID_undef, NULL},
};

static const struct nid_name purposes[] = {
	{NID_server_auth, "TLS_WEB_SERVER_AUTHENTICATION"},
	{NID_client_auth, "TLS_WEB_CLIENT_AUTHENTICATION"},
	{NID_code_sign, "CODE_SIGNING"},
	{NID_email_protect, "EMAIL_PROTECTION"},
	{NID_time_stamp, "TIME_STAMPING"},
	{NID_OCSP_sign, "OCSP_SIGNING"},
	{NID_ipsecEndSystem, "IPSEC_END_SYSTEM"},
	{NID_ipsecTunnel, "IPSEC_TUNNEL"},
	{NID_ipsecUser, "IPSEC_USER"},
	{NID_anyExtendedKeyUsage, "ANY"},
	{NID_undef, NULL},
};

static const char *find_name(const struct nid_name *table, int nid)
{
	while (table->name != NULL && table->nid != nid)
		table++;
	return table->name;
}

bool x509_key_purpose(const struct der_element *oid, char *ret, size_t size)
{
	int nid = x509_oid_nid(oid);
	const char *name = find_name(purposes, nid);
	if (name != NULL)
		snprintf(ret, size, "%s", name);
	else
		x509_oid_dotted(oid, ret, size);
	return nid >= 0;
}

bool x509_signature_algorithm(const struct der *algorithm, char *ret, size_t size)
{
	struct der in = *algorithm;
	struct der_element oid;
	if (!der_take_tag(&in, DER_OID, &oid))
		return false;
	int nid = x509_oid_nid(&oid);
	const char *name = find_name(signatures, nid);
	if (name != NULL)
		snprintf(ret, size, "%s", name);
	else if (nid > NID_undef)
		snprintf(ret, size, "%s", OBJ_nid2ln(nid));
	else
		x509_oid_dotted(&oid, ret, size);
	return nid >= 0;
}

/* "RSA_2048": the bits of the modulus. source: RFC 8017 A.1.1 RSAPublicKey. */
static bool rsa_algorithm(const struct der *key, char *ret, size_t size)
{
	struct der in = *key;
	struct der_element sequence, modulus;
	if (!der_take_tag(&in, DER_SEQUENCE, &sequence) ||
		!der_take_tag(&sequence.content, DER_INTEGER, &modulus))
		return false;
	struct der number = modulus.content;
	while (number.len > 0 && number.bytes[0] == 0) {
		number.bytes++;
		number.len--;
	}
	size_t bits = number.len * 8;
	if (bits > 0) {
		for (unsigned first = number.bytes[0]; (first & 0x80) == 0; first <<= 1)
			bits--;
	}
	snprintf(ret, size, "RSA_%zu", bits);
	return true;
}

/* "EC_prime256v1": the named curve. source: RFC 5480 2.1.1 ECParameters. */
static bool ec_algorithm(const struct der *parameters, char *ret, size_t size)
{
	struct der in = *parameters;
	struct der_element curve;
	if (!der_take(&in, &curve))
		return false;
	if (curve.tag != DER_OID) {
		snprintf(ret, size, "EC_explicit"); /* forbidden by RFC 5480, still a certificate */
		return true;
	}
	int nid = x509_oid_nid(&curve);
	char dotted[X509_OID_TEXT_MAX];
	x509_oid_dotted(&curve, dotted, sizeof(dotted));
	snprintf(ret, size, "EC_%s", nid > NID_undef ? OBJ_nid2sn(nid) : dotted);
	return nid >= 0;
}

bool x509_key_algorithm(const struct der *spki, char *ret, size_t size)
{
	struct der in = *spki;
	struct der_element algorithm, oid, bits;
	if (!der_take_tag(&in, DER_SEQUENCE, &algorithm) ||
		!der_take_tag(&algorithm.content, DER_OID, &oid) ||
		!der_take_tag(&in, DER_BIT_STRING, &bits) || in.len > 0 || bits.content.len < 1)
		return false;
	struct der key = {bits.content.bytes + 1, bits.content.len - 1}; /* unused bits: none */
	int nid = x509_oid_nid(&oid);
	if (nid == NID_rsaEncryption)
		return rsa_algorithm(&key, ret, size);
	if (nid == NID_X9_62_id_ecPublicKey)
		return ec_algorithm(&algorithm.content, ret, size);
	if (nid == NID_ED25519)
		snprintf(ret, size, "Ed25519");
	else
		x509_oid_dotted(&oid, ret, size);
	return nid >= 0;
}
