/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF, as far as it takes to look up a symbol: header, sections of dynamic symbols, segments. Each
 * offset is checked against the size of the file before it is followed.
 */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "carnot/sofile.h"
#include "common/path.h"

#define FILE_MAX_BYTES (64u << 20)

struct elf {
    const unsigned char *data;
    size_t size;
    ElfW(Ehdr) head;
    ElfW(Shdr) symbols, names; /* .dynsym and its strings */
};

/* n bytes at offset into to; -1 when the file does not have them. */
static int _copy(const struct elf *f, void *to, uint64_t offset, size_t n)
{
    if (offset > f->size || n > f->size - offset)
        return -1;
    memcpy(to, f->data + offset, n);
    return 0;
}

static int _section(const struct elf *f, unsigned i, ElfW(Shdr) * out)
{
    if (f->head.e_shentsize != sizeof(*out) || i >= f->head.e_shnum)
        return -1;
    return _copy(f, out, f->head.e_shoff + (uint64_t)i * sizeof(*out), sizeof(*out));
}

static int _open(struct elf *f, const void *data, size_t size, struct err *e)
{
    *f = (struct elf){.data = data, .size = size};
    errno = ENOEXEC;
    if (_copy(f, &f->head, 0, sizeof(f->head)) < 0 || memcmp(f->head.e_ident, ELFMAG, SELFMAG) != 0)
        return err_set(e, "not a shared library");
    if (f->head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        f->head.e_ident[EI_DATA] != (__BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB))
        return err_set(e, "built for another kind of machine");
    if (f->head.e_type != ET_DYN)
        return err_set(e, "not a shared library");
    for (unsigned i = 0; i < f->head.e_shnum; i++) {
        if (_section(f, i, &f->symbols) < 0)
            return err_set(e, "damaged, or cut short");
        if (f->symbols.sh_type == SHT_DYNSYM)
            return _section(f, f->symbols.sh_link, &f->names) < 0
                       ? err_set(e, "damaged, or cut short")
                       : 0;
    }
    return err_set(e, "it exports nothing");
}

/* The symbol's name, in the file and terminated there; NULL when it is not. */
static const char *_name(const struct elf *f, const ElfW(Sym) * symbol)
{
    const char *start;

    if (symbol->st_name >= f->names.sh_size || f->names.sh_offset > f->size ||
        f->names.sh_size > f->size - f->names.sh_offset)
        return NULL;
    start = (const char *)f->data + f->names.sh_offset + symbol->st_name;
    return memchr(start, '\0', f->names.sh_size - symbol->st_name) ? start : NULL;
}

/* The symbol that is defined under this name: 1, or 0. */
static int _find(const struct elf *f, const char *want, ElfW(Sym) * out)
{
    size_t n = f->symbols.sh_size / sizeof(*out);

    for (size_t i = 0; i < n; i++) {
        const char *name;

        if (_copy(f, out, f->symbols.sh_offset + (uint64_t)i * sizeof(*out), sizeof(*out)) < 0)
            return 0;
        name = out->st_shndx == SHN_UNDEF ? NULL : _name(f, out);
        if (name && strcmp(name, want) == 0)
            return 1;
    }
    return 0;
}

/* The first size bytes, at most, of what a symbol stands for: how many were copied. */
static size_t _value(const struct elf *f, const char *name, void *to, size_t size)
{
    ElfW(Sym) symbol;
    ElfW(Phdr) part;

    if (!_find(f, name, &symbol) || f->head.e_phentsize != sizeof(part))
        return 0;
    if (size > symbol.st_size)
        size = symbol.st_size;
    for (unsigned i = 0; i < f->head.e_phnum; i++) {
        uint64_t into;

        if (_copy(f, &part, f->head.e_phoff + (uint64_t)i * sizeof(part), sizeof(part)) < 0)
            return 0;
        if (part.p_type != PT_LOAD || symbol.st_value < part.p_vaddr)
            continue;
        into = symbol.st_value - part.p_vaddr;
        if (into >= part.p_filesz || size > part.p_filesz - into)
            continue;
        return _copy(f, to, part.p_offset + into, size) < 0 ? 0 : size;
    }
    return 0;
}

static void _text(const struct elf *f, const char *name, char *to)
{
    char raw[SOFILE_TEXT_MAX] = "";

    /* one byte is left for the end, whatever the file says */
    (void)_value(f, name, raw, sizeof(raw) - 1);
    (void)err_quote(to, SOFILE_TEXT_MAX, raw);
}

int sofile_parse(struct sofile *s, const void *data, size_t size, struct err *e)
{
    struct sofile next = {.size = size};
    struct elf f;

    if (_open(&f, data, size, e) < 0)
        return -1;
    if (_value(&f, "plugin_version", &next.version, sizeof(next.version)) != sizeof(next.version))
        next.version = 0;
    _text(&f, "plugin_type", next.type);
    _text(&f, "plugin_name", next.name);
    _text(&f, "carnot_version", next.release);
    next.data = malloc(size);
    if (!next.data)
        return err_errno(e, "no memory");
    memcpy(next.data, data, size);
    *s = next;
    return 0;
}

int sofile_read(struct sofile *s, const char *path, struct err *e)
{
    char *data;
    size_t size;
    int rc, saved;

    if (path_read(path, FILE_MAX_BYTES, &data, &size, e) < 0)
        return -1;
    rc = sofile_parse(s, data, size, e);
    saved = errno;
    free(data);
    errno = saved;
    return rc < 0 ? err_prefix(e, "%s", path) : 0;
}

void sofile_fini(struct sofile *s)
{
    free(s->data);
    *s = (struct sofile){0};
}

int sofile_exports(const struct sofile *s, const char *symbol)
{
    ElfW(Sym) found;
    struct elf f;

    return s->data && _open(&f, s->data, s->size, NULL) == 0 && _find(&f, symbol, &found);
}
