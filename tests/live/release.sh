#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tools/release in a copy of the repository, whose tools/check and tools/package say what this test wants:
# it refuses whatever is not green, and else leaves packages, sums, notes and a tag.
. "$(dirname "$0")/lib.sh"

command -v git >/dev/null || skip "no git"
[ -e "$SRCDIR/.git" ] || skip "not in a repository"
VERSION=77.1
COPY=$TMP/copy
export HOME=$TMP GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@localhost
export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@localhost
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

commit()
{
	git -C "$COPY" commit -qam "$1" || fail "commit: $1"
}

# says CHECK-STATUS TOTAL PACKAGE-STATUS PACKAGE-LINE: what the stand-ins for the real tools do.
says()
{
	cat >"$COPY/tools/check" <<-SCRIPT
		#!/bin/sh
		echo "$2"
		exit $1
	SCRIPT
	cat >"$COPY/tools/package" <<-SCRIPT
		#!/bin/sh
		[ "\$TWICE" = 1 ] || exit 3
		mkdir -p "\$1/deb" "\$1/rpm"
		for file in vmview-$VERSION.tar.xz deb/vmview.deb rpm/vmview.rpm; do
			echo "\$file" >"\$1/\$file"
		done
		echo "$4"
		exit $3
	SCRIPT
	git -C "$COPY" diff --quiet || commit "stand-ins"
}

# refuses WHY: it ends with 1, says so, and sets no tag.
refuses()
{
	status 1 "$COPY/tools/release" "$VERSION" "$TMP/out" >"$TMP/said" 2>&1
	grep -qF "tools/release: refused: $1" "$TMP/said" || fail "not '$1': $(cat "$TMP/said")"
	[ -z "$(git -C "$COPY" tag)" ] || fail "a tag was set: $1"
}

git clone -q --shared "$SRCDIR" "$COPY" 2>"$TMP/said" || fail "$(cat "$TMP/said")"
git -C "$COPY" checkout -q -B main
cp "$SRCDIR/tools/release" "$COPY/tools/release"
git -C "$COPY" diff --quiet || commit "the release tool as it is here"
says 0 '9 passed, 0 failed, 0 skipped' 0 'ok   deb'

refuses "configure.ac says"
"$COPY/tools/release" --set "$VERSION" >/dev/null || fail "--set"
refuses "the tree is not clean"
commit "version $VERSION"
git -C "$COPY" checkout -q -b side

echo >>"$COPY/README.md"
commit "not on main"
refuses "what is checked out is not on main"
git -C "$COPY" checkout -q main
sed -i "0,/^## /s/^## .*/## $VERSION (not released)/" "$COPY/CHANGELOG.md"
commit "not released"
refuses "CHANGELOG.md says that $VERSION is not released"
git -C "$COPY" revert --no-edit HEAD >/dev/null
says 1 '8 passed, 1 failed, 0 skipped' 0 'ok   deb'
refuses "tools/check is not green"
says 0 '8 passed, 1 failed, 0 skipped' 0 'ok   deb'
refuses "tools/check: 8 passed, 1 failed"
says 0 '9 passed, 0 failed, 0 skipped' 1 'FAIL deb'
refuses "not every package could be made"
says 0 '9 passed, 0 failed, 0 skipped' 0 'skip arm64: no compiler'
refuses "packages were skipped"
says 0 '9 passed, 0 failed, 0 skipped' 0 'ok   deb'
"$COPY/tools/release" "$VERSION" "$TMP/out" >"$TMP/said" 2>&1 || fail "$(cat "$TMP/said")"
equal "tag" "$(git -C "$COPY" tag)" "v$VERSION"
equal "notes" "$(head -n 1 "$TMP/out/NOTES.md" | cut -d' ' -f1,2)" "## $VERSION"
(cd "$TMP/out" && sha256sum --quiet -c SHA256SUMS) || fail "sums"
equal "files with sums" "$(wc -l <"$TMP/out/SHA256SUMS")" 3
status 1 "$COPY/tools/release" "$VERSION" "$TMP/out" >"$TMP/said" 2>&1
grep -qF "there is a tag v$VERSION already" "$TMP/said" || fail "$(cat "$TMP/said")"
