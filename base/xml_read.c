/*
 * Reading XML. libxml2 parses and calls back for elements and text; the tree is our own: an array
 * of elements that name their place in one text, so that it is wiped and freed at once. A DOCTYPE
 * stops the parser before anything in it is read, so there are no entities to expand or to fetch.
 *
 * libxml2's messages may quote the document, which may hold credentials: ours name the place and
 * the kind of fault only.
 */
#include "base/xml_read.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

#if LIBXML_VERSION >= 21200
typedef const xmlError *xml_error_arg;
#else
typedef xmlError *xml_error_arg;
#endif

struct xml_element {
	const struct xml_document *document; /* borrowed; it holds this element */
	size_t name_at, text_at;	     /* in document->text */
	uint32_t first_child, next_sibling;  /* in document->element; 0, the root: none */
};

struct xml_document {
	struct xml_element *element; /* owned; [0] is the root */
	size_t count, capacity;
	struct buf text; /* NUL-terminated names and texts; begins with "" */
};

struct open_element {
	uint32_t index;
	uint32_t last_child; /* 0: none yet */
};

struct parser {
	xmlParserCtxt *context; /* borrowed */
	struct xml_document *document;
	struct open_element open[XML_DEPTH_MAX];
	int depth;
	struct buf pending; /* text since the last start tag: a leaf's, if its end tag comes next */
	bool has_failed;    /* the first failure counts, the others follow from it */
	struct err problem;
};

static void fail(struct parser *parser, enum err_kind kind, const char *reason)
{
	if (parser->has_failed)
		return;
	parser->has_failed = true;
	err_set(&parser->problem, kind, "line %d, column %d: %s",
		xmlSAX2GetLineNumber(parser->context), xmlSAX2GetColumnNumber(parser->context),
		reason);
	xmlStopParser(parser->context);
}

/* The place of text in the document; what is empty shares the place 0. */
static size_t keep_text(struct xml_document *document, const char *text, size_t len)
{
	if (len == 0)
		return 0;
	size_t at = document->text.len;
	buf_add(&document->text, text, len);
	buf_add_char(&document->text, '\0');
	return at;
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
	int namespace_count, const xmlChar **namespaces, int attribute_count, int default_count,
	const xmlChar **attributes)
{
	(void)prefix;
	(void)uri;
	(void)namespace_count;
	(void)namespaces;
	(void)attribute_count;
	(void)default_count;
	(void)attributes;
	struct parser *parser = arg;
	struct xml_document *document = parser->document;
	if (parser->has_failed)
		return; /* libxml2 promises no silence after xmlStopParser */
	if (parser->depth == XML_DEPTH_MAX) {
		fail(parser, ERR_LIMIT, "XML nested too deep");
		return;
	}
	if (document->count == XML_ELEMENTS_MAX) {
		fail(parser, ERR_LIMIT, "XML with too many elements");
		return;
	}
	document->element = xgrow(document->element, &document->capacity, document->count,
		sizeof(document->element[0]));
	uint32_t index = (uint32_t)document->count++;
	document->element[index] = (struct xml_element){
		.document = document,
		.name_at = keep_text(document, (const char *)name, strlen((const char *)name)),
	};
	if (parser->depth > 0) {
		struct open_element *parent = &parser->open[parser->depth - 1];
		if (parent->last_child == 0)
			document->element[parent->index].first_child = index;
		else
			document->element[parent->last_child].next_sibling = index;
		parent->last_child = index;
	}
	parser->open[parser->depth++] = (struct open_element){.index = index};
	buf_reset(&parser->pending);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	(void)name;
	(void)prefix;
	(void)uri;
	struct parser *parser = arg;
	if (parser->has_failed)
		return;
	struct open_element *open = &parser->open[--parser->depth];
	if (open->last_child == 0) {
		const char *text = buf_text(&parser->pending);
		size_t len = parser->pending.len;
		for (; len > 0 && is_blank(text[0]); len--)
			text++;
		while (len > 0 && is_blank(text[len - 1]))
			len--;
		parser->document->element[open->index].text_at =
			keep_text(parser->document, text, len);
	}
	buf_reset(&parser->pending);
}

static void on_text(void *arg, const xmlChar *text, int len)
{
	struct parser *parser = arg;
	buf_add(&parser->pending, text, (size_t)len);
}

static void on_doctype(
	void *arg, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
	(void)name;
	(void)external_id;
	(void)system_id;
	fail(arg, ERR_PROTOCOL, "XML with a DOCTYPE");
}

static void on_error(void *arg, xml_error_arg error)
{
	static const struct {
		int code;
		const char *reason;
	} known[] = {
		{XML_ERR_DOCUMENT_EMPTY, "no XML"},
		{XML_ERR_DOCUMENT_END, "ends too early, or something follows the document"},
		{XML_ERR_TAG_NAME_MISMATCH, "an end tag that does not match"},
		{XML_ERR_TAG_NOT_FINISHED, "ends too early"},
		{XML_ERR_UNDECLARED_ENTITY, "an unknown entity"},
		{XML_ERR_INVALID_CHAR, "an invalid character"},
	};
	struct parser *parser = arg;
	if (parser->has_failed || error->level != XML_ERR_FATAL)
		return;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].code == error->code) {
			fail(parser, ERR_PROTOCOL, known[i].reason);
			return;
		}
	}
	fail(parser, ERR_PROTOCOL, "not well-formed XML");
}

static void parse(struct parser *parser, const char *text, size_t len)
{
	parser->context = xmlCreateMemoryParserCtxt(text, (int)len);
	if (parser->context == NULL)
		abort(); /* fails without memory only; the length was checked */
	*parser->context->sax = (xmlSAXHandler){
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.internalSubset = on_doctype,
		.serror = on_error,
	};
	parser->context->userData = parser;
	/* The text is known to be UTF-8: what it says of its encoding is not believed. */
	xmlCtxtUseOptions(parser->context, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
	xmlParseDocument(parser->context);
	if (parser->context->wellFormed == 0)
		fail(parser, ERR_PROTOCOL, "not well-formed XML");
	xmlFreeParserCtxt(parser->context);
	xmlResetLastError(); /* a copy of the last message, kept per thread */
}

struct xml_document *xml_read(const char *text, size_t len, struct err *err)
{
	if (len == 0 || len > INT_MAX / 2) {
		err_set(err, len == 0 ? ERR_PROTOCOL : ERR_LIMIT,
			len == 0 ? "no XML: empty" : "XML is too large");
		return NULL;
	}
	/* libxml2 would take a NUL as a hint at UTF-16. */
	if (memchr(text, '\0', len) != NULL || !text_is_utf8(text, len)) {
		err_set(err, ERR_PROTOCOL, "not XML in UTF-8");
		return NULL;
	}

	struct xml_document *document = xcalloc(1, sizeof(*document));
	struct parser parser = {.document = document, .problem = ERR_INIT};
	/* Each name and each text is in the document at least once, and each has a bracket to spare
	 * for its NUL; references are longer than what they stand for. */
	buf_init_secret(&document->text, 2 * len + 1);
	buf_init_secret(&parser.pending, len);
	buf_add_char(&document->text, '\0');
	parse(&parser, text, len);
	buf_clear(&parser.pending);
	if (!parser.has_failed &&
		buf_check(&document->text, "the text in XML", &parser.problem) != 0)
		parser.has_failed = true;
	if (parser.has_failed) {
		*err = parser.problem;
		xml_free(document);
		return NULL;
	}
	return document;
}

void xml_free(struct xml_document *document)
{
	if (document == NULL)
		return;
	buf_clear(&document->text);
	free(document->element);
	free(document);
}

const struct xml_element *xml_root(const struct xml_document *document)
{
	return &document->element[0];
}

const char *xml_name(const struct xml_element *element)
{
	return element->document->text.data + element->name_at;
}

/* The element itself or the first sibling behind it with that name. */
static const struct xml_element *find(
	const struct xml_document *document, uint32_t index, const char *name, size_t name_len)
{
	for (; index != 0; index = document->element[index].next_sibling) {
		const struct xml_element *element = &document->element[index];
		const char *own = xml_name(element);
		if (strncmp(own, name, name_len) == 0 && own[name_len] == '\0')
			return element;
	}
	return NULL;
}

const struct xml_element *xml_child(const struct xml_element *element, const char *path)
{
	while (element != NULL) {
		size_t len = strcspn(path, "/");
		element = find(element->document, element->first_child, path, len);
		if (path[len] == '\0')
			break;
		path += len + 1;
	}
	return element;
}

const struct xml_element *xml_next(const struct xml_element *element)
{
	const char *name = xml_name(element);
	return find(element->document, element->next_sibling, name, strlen(name));
}

const char *xml_text(const struct xml_element *element)
{
	return element->document->text.data + element->text_at;
}

const char *xml_child_text(const struct xml_element *element, const char *path)
{
	const struct xml_element *child = xml_child(element, path);
	return child != NULL ? xml_text(child) : NULL;
}
