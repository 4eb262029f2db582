/*
 * A tree drawn as lines: branches are paths ("Root/Security/Prod"), leaves hang below them. Items
 * must come in order of their paths. Pure.
 */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include <stdbool.h>
#include <stddef.h>

enum { TREE_DEPTH_MAX = 24 };

struct tree;

struct tree *tree_new(bool is_utf8);
void tree_free(struct tree *tree); /* NULL is fine */

/* A new tree below the others; title: a branch above all, or NULL. */
void tree_begin(struct tree *tree, const char *title);
/* A leaf below path (its branches are made as needed); item is the caller's. Texts are copied. */
void tree_add(struct tree *tree, const char *path, const char *name, size_t item);

/* The order in which paths must come: parents first, and "Root/A/B" before "Root/A B". */
int tree_compare(const char *path_a, const char *path_b);

/* The lines from the top, drawn; false after the last. ret_text is borrowed until the next call. */
bool tree_next(struct tree *tree, const char **ret_text, bool *ret_is_leaf, size_t *ret_item);

#endif
