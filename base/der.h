/*
 * Reads DER in place: a range of bytes from which one element after the other is taken. Nothing is
 * copied, nothing recurses, and nothing outside the range is ever read; every length is checked
 * against what is left.
 *
 * Accepted: definite lengths in their shortest form, tag numbers below 31. Anything else (BER) is
 * refused: a certificate is DER. source: ITU-T X.690 sections 8.1 and 10.1.
 */
#ifndef BASE_DER_H
#define BASE_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Identifier octets. Constructed: 0x20; context-specific: 0x80. */
enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_NUMERIC_STRING = 0x12,
	DER_PRINTABLE_STRING = 0x13,
	DER_T61_STRING = 0x14,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_VISIBLE_STRING = 0x1a,
	DER_UNIVERSAL_STRING = 0x1c,
	DER_BMP_STRING = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT = 0x80,
	DER_CONTEXT_CONSTRUCTED = 0xa0,
};

/* Bytes of someone else: borrowed. */
struct der {
	const unsigned char *bytes;
	size_t len;
};

struct der_element {
	unsigned tag;	    /* the identifier octet */
	struct der content; /* without tag and length */
	struct der whole;   /* with them */
};

/* Takes the first element off `in`. false: there is none, or it is broken; `in` is unchanged then.
 * */
bool der_take(struct der *in, struct der_element *ret_element);

/* The same, when it has this tag. */
bool der_take_tag(struct der *in, unsigned tag, struct der_element *ret_element);

bool der_equal(const struct der *a, const struct der *b);

/* Whether these are exactly the named bytes (the content of an OID, usually). */
bool der_is(const struct der *der, const void *bytes, size_t len);

/*
 * UTCTime or GeneralizedTime as Unix seconds; years 0 to 9999, a fraction is dropped. Seconds may
 * be missing and an offset stand in place of Z, as old certificates have it (RFC 5280 4.1.2.5
 * allows neither). false: not a time.
 */
bool der_time(const struct der_element *element, int64_t *ret_unix_s);

#endif
