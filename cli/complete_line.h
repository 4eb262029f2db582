/*
 * What is to be completed on a command line of acmsensor that is being typed. Lenient where
 * options.h is strict: the line is not done yet. Pure.
 */
#ifndef CLI_COMPLETE_LINE_H
#define CLI_COMPLETE_LINE_H

#include <stdbool.h>

#include "cli/options.h"

enum complete_what {
	COMPLETE_NOTHING,
	COMPLETE_COMMAND,
	COMPLETE_OPTION, /* one of global_options or command->option that is not given yet */
	COMPLETE_VALUE,	 /* of argument (values.h) */
};

/* All borrowed from the words and the tables. */
struct complete_line {
	enum complete_what what;
	const struct command *command; /* NULL before its name */
	const char *typed;	       /* what is there of the word, or of the value in it */
	const char *front;    /* "--region=eu" is completed as a whole: its front is "--region=" */
	int front_len;	      /* 0 where the value is a word of its own */
	const char *argument; /* what stands for the value in the table; up to a blank, if any */
	const char *first;    /* the command's first argument, once it is there; or NULL */
	/* What was given so far: global options and those of the command, by their tables. */
	struct args global, args;
};

/* words: without the program's name; the last is the one being typed, "" for none yet. */
void complete_line_read(const struct command *commands, int count, char *const *words,
	struct complete_line *ret_line);

/* Whether an option may still be given. */
bool complete_line_offers(const struct args *args, int index);

/* The value of an option that both the command has and the line gives, or NULL. */
const char *complete_line_value(const struct complete_line *line, const char *name);

#endif
