#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for bash (and, where it is installed, that of zsh is read): the words come from --help.
. "$(dirname "$0")/lib.sh"

. "$SRCDIR/completions/vmview"

# complete_words WORD...: what is offered for the last word, sorted, on one line.
complete_words()
{
	COMP_WORDS=("$VMVIEW" "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_vmview
	printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
}

# holds WHAT WORDS WORD
holds()
{
	[[ " $2 " == *" $3 "* ]] || fail "$1: '$3' is missing in '$2'"
}

equal "command" "$(complete_words hug)" huge
equal "no such word" "$(complete_words zzz)" ""
holds "own PID" "$(complete_words map "$$")" "$$"
equal "long option" "$(complete_words map --noh)" --noheadings
equal "long option without a command" "$(complete_words --noh)" --noheadings
equal "word of an option" "$(complete_words --color al)" always
equal "word behind =" "$(complete_words --color = al)" always
holds "short option" "$(complete_words map -)" -o
equal "column" "$(complete_words map -o perm)" perm
equal "column behind +" "$(complete_words map -o +perm)" +perm
equal "column in a list" "$(complete_words map --columns size,-perm)" size,-perm
equal "column to sort by" "$(complete_words map --sort -perm)" -perm
columns=$(complete_words map -o "")
for name in size rss perm; do
	holds "all columns" "$columns" "$name"
done
[ "$(complete_words map -o "" | wc -w)" -ge 10 ] || fail "few columns: $columns"

equal "command that help tells of" "$(complete_words help sw)" swap
equal "help" "$(complete_words hel)" help
equal "value of --by" "$(complete_words ps --by = pr)" program
equal "value of --by of another command" "$(complete_words system --by = ce)" ""
equal "value of --by=process" "$(complete_words system --by = pro)" process
equal "command behind an option" "$(complete_words --json hug)" huge
equal "option of all commands" "$(complete_words swap --sor)" --sort=
equal "help options" "$(complete_words help opti)" options
equal "file of who" "$(complete_words who /etc/passw | tr ' ' '\n' | grep -x /etc/passwd)" /etc/passwd
equal "value of --from" "$(complete_words map --from sm)" smaps
equal "user" "$(complete_words map --user = roo)" root

if command -v zsh >/dev/null; then
	zsh -n "$SRCDIR/completions/_vmview" || fail "zsh does not read _vmview"
fi
