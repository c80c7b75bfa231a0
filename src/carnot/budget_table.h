/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Budgets for people: a table a resource, and one budget as a sentence.
 */
#ifndef CARNOT_BUDGET_TABLE_H
#define CARNOT_BUDGET_TABLE_H

#include "carnot/cli.h"
#include "carnot/table.h"

/* Does the row's text under key equal want? NULL want: yes. */
int budget_row_is(const json_t *row, const char *key, const char *want);

/* Print rows of `budget list`; units as --units has it, or NULL. Returns an exit code. */
int budget_table(struct cli *c, const json_t *rows, const char *units,
                 const struct table_style *style);

/* "account bio: 500 kWh a month; ... left until 1 Dec" and a newline. */
void budget_sentence(struct cli *c, const json_t *row);

#endif
