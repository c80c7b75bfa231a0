/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does somebody else look after this machine's power limits? Then Carnot leaves them alone: two
 * who write one limit undo each other's work, and whoever restores last wins.
 */
#ifndef CARNOT_POWERCAP_OWNERS_H
#define CARNOT_POWERCAP_OWNERS_H

#include "common/err.h"

/* 1 when one was found, and who it is in why ("eard (EAR), process 812"); else 0. Reads /proc. */
int owners_find(const char *sysroot, struct err *why);

#endif
