/*
 * A tree drawn as lines (see tree.h). Lines are kept flat with their depth: whether a line is the
 * last child is found by walking backwards once, so nothing recurses on outsiders' names.
 */
#include "cli/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum { LINE_MAX_BYTES = 8192 };

struct line {
	char *name; /* owned */
	size_t depth, item;
	bool is_leaf, is_last;
};

struct tree {
	bool is_utf8;
	size_t base_depth;	    /* 1 below a title */
	char *path[TREE_DEPTH_MAX]; /* owned; the open branches */
	size_t path_depth;
	struct line *line; /* owned */
	size_t count, capacity, at;
	bool is_drawn;
	bool goes_on[TREE_DEPTH_MAX + 2]; /* an ancestor at that depth has more children */
	struct buf text;
};

struct tree *tree_new(bool is_utf8)
{
	struct tree *tree = xcalloc(1, sizeof(*tree));
	tree->is_utf8 = is_utf8;
	buf_init(&tree->text, LINE_MAX_BYTES);
	return tree;
}

static void close_branches(struct tree *tree, size_t depth)
{
	while (tree->path_depth > depth)
		free(tree->path[--tree->path_depth]);
}

void tree_free(struct tree *tree)
{
	if (tree == NULL)
		return;
	close_branches(tree, 0);
	for (size_t i = 0; i < tree->count; i++)
		free(tree->line[i].name);
	free(tree->line);
	buf_clear(&tree->text);
	free(tree);
}

static struct line *add_line(struct tree *tree, const char *name, size_t len, size_t depth)
{
	tree->line = xgrow(tree->line, &tree->capacity, tree->count, sizeof(*tree->line));
	struct line *line = &tree->line[tree->count++];
	*line = (struct line){.name = xstrndup(name, len), .depth = depth};
	return line;
}

void tree_begin(struct tree *tree, const char *title)
{
	close_branches(tree, 0);
	tree->base_depth = title != NULL ? 1 : 0;
	if (title != NULL)
		add_line(tree, title, strlen(title), 0);
}

int tree_compare(const char *path_a, const char *path_b)
{
	while (*path_a != '\0' && *path_a == *path_b) {
		path_a++;
		path_b++;
	}
	/* The separator sorts before every character of a name, but after the end. */
	int a = *path_a == '/' ? 1 : *path_a == '\0' ? 0 : 1 + (unsigned char)*path_a;
	int b = *path_b == '/' ? 1 : *path_b == '\0' ? 0 : 1 + (unsigned char)*path_b;
	return a - b;
}

/* Opens the branch name at depth unless it is open already. */
static void open_branch(struct tree *tree, size_t depth, const char *name, size_t len)
{
	if (depth < tree->path_depth) {
		if (strlen(tree->path[depth]) == len && strncmp(tree->path[depth], name, len) == 0)
			return;
		close_branches(tree, depth);
	}
	tree->path[tree->path_depth++] = xstrndup(name, len);
	add_line(tree, name, len, tree->base_depth + depth);
}

void tree_add(struct tree *tree, const char *path, const char *name, size_t item)
{
	size_t depth = 0;
	while (path[0] != '\0' && depth < TREE_DEPTH_MAX) {
		size_t len = strcspn(path, "/");
		open_branch(tree, depth++, path, len);
		path += len + (path[len] == '/' ? 1 : 0);
	}
	close_branches(tree, depth);
	struct line *leaf = add_line(tree, name, strlen(name), tree->base_depth + depth);
	leaf->is_leaf = true;
	leaf->item = item;
}

/* Backwards: a line is its parent's last child when no later line of its depth came before one of
 * a smaller depth. */
static void find_last_children(struct tree *tree)
{
	bool has_later[TREE_DEPTH_MAX + 2] = {false};
	for (size_t i = tree->count; i-- > 0;) {
		struct line *line = &tree->line[i];
		line->is_last = !has_later[line->depth];
		has_later[line->depth] = true;
		for (size_t depth = line->depth + 1; depth < TREE_DEPTH_MAX + 2; depth++)
			has_later[depth] = false;
	}
	tree->is_drawn = true;
}

bool tree_next(struct tree *tree, const char **ret_text, bool *ret_is_leaf, size_t *ret_item)
{
	if (!tree->is_drawn)
		find_last_children(tree);
	if (tree->at == tree->count)
		return false;
	const struct line *line = &tree->line[tree->at++];
	buf_reset(&tree->text);
	/* Depth 0 stands at the margin; each deeper level adds a stroke. */
	for (size_t depth = 1; depth < line->depth; depth++)
		buf_add_text(&tree->text, !tree->goes_on[depth] ? "   "
					  : tree->is_utf8	? "\xE2\x94\x82  "
								: "|  ");
	if (line->depth > 0 && line->is_last)
		buf_add_text(&tree->text, tree->is_utf8 ? "\xE2\x94\x94\xE2\x94\x80 " : "`- ");
	else if (line->depth > 0)
		buf_add_text(&tree->text, tree->is_utf8 ? "\xE2\x94\x9C\xE2\x94\x80 " : "|- ");
	buf_add_text(&tree->text, line->name);
	tree->goes_on[line->depth] = !line->is_last;
	*ret_text = buf_text(&tree->text);
	*ret_is_leaf = line->is_leaf;
	*ret_item = line->item;
	return true;
}
