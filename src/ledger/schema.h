/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of the ledger and how an older file becomes a newer one.
 * Private to this directory.
 */
#ifndef CARNOT_LEDGER_SCHEMA_H
#define CARNOT_LEDGER_SCHEMA_H

#include "ledger/ledger.h"

/* Bring the open file to our version, in one transaction. 0, or -1: a newer schema (ENOTSUP), a
 * database that is not Carnot's (EINVAL), or SQLite's own error; the file is unchanged then. */
int schema_migrate(ledger_t *l, struct err *e);

/* The file's version into *version, and ours into *known. 0, or -1: not Carnot's (EINVAL), or
 * SQLite's own error. Changes nothing. */
int schema_version(ledger_t *l, int *version, int *known, struct err *e);

#endif
