/*
 * What certificates say, made comparable and told to people: their names, usages, and lists of such
 * in a sentence. Pure.
 */
#ifndef DELIVERY_CERT_VIEW_H
#define DELIVERY_CERT_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/x509.h"

enum { KEY_USAGES_MAX = 9, TOLD_LIST_MAX = 320 };

/* DNS names and addresses; sorted, none twice, case ignored (as DNS does). */
struct cert_names {
	const char **item; /* owned; the texts are borrowed from the facts */
	size_t count;
};

/* The subject alternative names, and the common name when it is a host name or an address. */
void cert_names_init(struct cert_names *names, const struct x509_facts *facts);
/* Without the common name, unless there is no other name. */
void cert_names_init_alternative(struct cert_names *names, const struct x509_facts *facts);
void cert_names_clear(struct cert_names *names); /* zeroed is fine */

bool cert_names_have(const struct cert_names *names, const char *name);
/* That very name, or the wildcard that stands for it. */
bool cert_names_cover(const struct cert_names *names, const char *name);
/* Those of names that others have (is_shared) or have not. ret is to be cleared. */
void cert_names_select(const struct cert_names *names, const struct cert_names *others,
	bool is_shared, struct cert_names *ret);

/* Two labels or more of letters, digits and '-', perhaps with "*." in front. */
bool name_is_host(const char *name);
/* Known to nobody on the Internet: one label, a reserved ending, an address of a private range. */
bool name_is_private(const char *name);

/* AWS's names of the bits; returns how many. */
size_t key_usage_names(unsigned key_usage, const char *ret[KEY_USAGES_MAX]);
bool has_ext_key_usage(const struct x509_facts *facts, const char *name);

/* "a, b and 12 more"; "none" when there are none. */
void tell_list(char ret[TOLD_LIST_MAX], const char *const *item, size_t count);

/* As snprintf, but what does not fit is cut between characters and ends in "...". */
void tell(char *ret, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
