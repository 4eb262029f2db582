/* Reading a command line that is being typed (see complete_line.h). */
#include "cli/complete_line.h"

#include <string.h>

/* The words before the last one. */
struct walk {
	const struct command *commands;
	struct complete_line *line;
	struct args *open_args; /* of the option whose value is the next word; NULL: none */
	int open_index;
	bool only_positionals;
};

static int find(const struct option_spec *option, const char *name, size_t len)
{
	for (int i = 0; option != NULL && option[i].name != NULL; i++)
		if (strlen(option[i].name) == len && memcmp(option[i].name, name, len) == 0)
			return i;
	return -1;
}

/* Of name: the table that has it and its place there, or false. */
static bool look_up(struct complete_line *line, const char *name, size_t len,
	struct args **ret_args, int *ret_index)
{
	*ret_args = &line->global;
	*ret_index = find(line->global.option, name, len);
	if (*ret_index >= 0)
		return true;
	*ret_args = &line->args;
	*ret_index = find(line->args.option, name, len);
	return *ret_index >= 0;
}

/* word: as typed; -h and -o stand for long ones. ret_value: behind '=' or -o, NULL when it is a
 * word of its own. */
static bool split_option(struct complete_line *line, const char *word, struct args **ret_args,
	int *ret_index, const char **ret_value)
{
	*ret_value = NULL;
	if (strcmp(word, "-h") == 0)
		return look_up(line, "help", strlen("help"), ret_args, ret_index);
	if (word[1] == 'o') {
		*ret_value = word[2] != '\0' ? word + 2 : NULL;
		return look_up(line, "output", strlen("output"), ret_args, ret_index);
	}
	if (word[1] != '-')
		return false;
	const char *equals = strchr(word, '=');
	*ret_value = equals != NULL ? equals + 1 : NULL;
	size_t len = equals != NULL ? (size_t)(equals - word - 2) : strlen(word + 2);
	return look_up(line, word + 2, len, ret_args, ret_index);
}

static void take_option(struct walk *walk, const char *word)
{
	struct args *args;
	const char *value;
	int index;
	if (!split_option(walk->line, word, &args, &index, &value))
		return;
	args->value[index] = value != NULL ? value : "";
	if (value == NULL && args->option[index].argument != NULL) {
		walk->open_args = args;
		walk->open_index = index;
	}
}

static void take_positional(struct walk *walk, const char *word)
{
	struct complete_line *line = walk->line;
	if (line->command != NULL) {
		if (line->args.positional_count++ == 0)
			line->first = word;
		return;
	}
	for (const struct command *command = walk->commands; command->name != NULL; command++) {
		if (strcmp(command->name, word) == 0) {
			line->command = command;
			line->args.option = command->option;
			return;
		}
	}
}

static void take_word(struct walk *walk, const char *word)
{
	if (walk->open_args != NULL) {
		walk->open_args->value[walk->open_index] = word;
		walk->open_args = NULL;
	} else if (walk->only_positionals || word[0] != '-' || word[1] == '\0') {
		take_positional(walk, word);
	} else if (strcmp(word, "--") == 0) {
		walk->only_positionals = true;
	} else {
		take_option(walk, word);
	}
}

/* The last word begins with '-'. */
static void find_in_option(struct complete_line *line, const char *word)
{
	struct args *args;
	const char *value;
	int index;
	bool is_found = split_option(line, word, &args, &index, &value);
	if (value == NULL) {
		line->what = COMPLETE_OPTION;
	} else if (is_found && args->option[index].argument != NULL) {
		line->what = COMPLETE_VALUE;
		line->argument = args->option[index].argument;
		line->front = word;
		line->front_len = (int)(value - word);
		line->typed = value;
	}
}

/* "[ack|test] [ALERT|CHANNEL]": the n-th of those between blanks. */
static const char *nth_argument(const char *arguments, int n)
{
	const char *blank = arguments;
	while (n-- > 0 && blank != NULL && (blank = strchr(arguments, ' ')) != NULL)
		arguments = blank + 1;
	return arguments;
}

void complete_line_read(const struct command *commands, int count, char *const *words,
	struct complete_line *ret_line)
{
	struct walk walk = {.commands = commands, .line = ret_line};
	*ret_line = (struct complete_line){.what = COMPLETE_NOTHING,
		.typed = "",
		.front = "",
		.global.option = global_options};
	if (count == 0)
		return;
	for (int i = 0; i < count - 1; i++)
		take_word(&walk, words[i]);
	const struct command *command = ret_line->command;
	ret_line->typed = words[count - 1];
	if (walk.open_args != NULL) {
		ret_line->what = COMPLETE_VALUE;
		ret_line->argument = walk.open_args->option[walk.open_index].argument;
		walk.open_args->value[walk.open_index] = NULL; /* not given yet */
	} else if (!walk.only_positionals && ret_line->typed[0] == '-') {
		find_in_option(ret_line, ret_line->typed);
	} else if (command == NULL) {
		ret_line->what = COMPLETE_COMMAND;
	} else if (ret_line->args.positional_count < command->positional_max) {
		ret_line->what = COMPLETE_VALUE;
		ret_line->argument =
			nth_argument(command->arguments, ret_line->args.positional_count);
	}
}

bool complete_line_offers(const struct args *args, int index)
{
	return args->value[index] == NULL || option_may_repeat(&args->option[index]);
}

const char *complete_line_value(const struct complete_line *line, const char *name)
{
	int index = find(line->args.option, name, strlen(name));
	return index >= 0 ? line->args.value[index] : NULL;
}
