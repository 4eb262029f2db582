/*
 * Reading the XML answers of STS and EC2 with libxml2: no DTD (a DOCTYPE is refused), no entities
 * but the five of XML, no network, bounded depth and size. Namespaces are ignored: elements are
 * found by local name.
 */
#ifndef BASE_XML_READ_H
#define BASE_XML_READ_H

#include <stddef.h>

struct err;
struct xml_document;
struct xml_element; /* borrowed; lives as long as its document */

enum {
	XML_DEPTH_MAX = 32,
	XML_ELEMENTS_MAX = 100000,
};

/* ERR_PROTOCOL with the place and reason, ERR_LIMIT for depth or number. Wiped when freed. */
struct xml_document *xml_read(const char *text, size_t len, struct err *err);
void xml_free(struct xml_document *document); /* NULL is fine */

const struct xml_element *xml_root(const struct xml_document *document);
const char *xml_name(const struct xml_element *element);
/* First child with that name, or NULL. path may descend: "AssumeRoleResult/Credentials". */
const struct xml_element *xml_child(const struct xml_element *element, const char *path);
/* Next sibling with the same name, or NULL. */
const struct xml_element *xml_next(const struct xml_element *element);
/* Text of the element without surrounding blanks, "" when empty; borrowed. An element that has
 * element children gives "". */
const char *xml_text(const struct xml_element *element);
/* Text at path below element, or NULL when there is no such element. */
const char *xml_child_text(const struct xml_element *element, const char *path);

#endif
