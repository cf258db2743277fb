#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A lint that cannot fail is worth nothing: each is fed one small tree for every rule it has, and must say so by exit
# status 1; and the good tree, which must pass.
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
wrong=0
tag='SPDX-License-Identifier: LGPL-2.1-or-later'

# A tree that breaks no rule, for a case to break one of.
fresh_tree() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree"/{src/{util,model,systemd,resources,isolation,core,bus,daemon,ctl,launcher,init},tests}
    cd "$work/tree" || exit
    cp "$here/../../.clang-format" "$here/../../.clang-tidy" .
    echo 'the licence' >LICENSE
    printf '/* %s */\n#include "util/sdbus.h"\n#include "core/controller.h"\n' "$tag" >src/bus/bus.c
    printf '/* %s */\n#include "isolation/wire.h"\n#include "util/fd.h"\n#include "init/step.h"\n' "$tag" >src/init/init.c
    printf '/* %s */\n#include <systemd/sd-bus.h>\n' "$tag" >src/util/sdbus.h
    tee src/core/controller.h src/isolation/wire.h src/util/fd.h src/init/step.h >/dev/null <<<"/* $tag */"
    printf '/* %s */\nint answer(void);\n\nint answer(void)\n{\n    return 42;\n}\n' "$tag" >src/model/answer.c
}

# expect STATUS DESCRIPTION COMMAND...; a lint whose tool is not installed has nothing to show.
expect() {
    local wanted=$1 description=$2 output status=0
    shift 2
    output=$("$@" 2>&1) || status=$?
    ((status == wanted || status == 77)) && return
    wrong=1
    printf 'selftest.sh:%d: %s: exit %d instead of %d\n' "${BASH_LINENO[0]}" "$description" "$status" "$wanted"
    [[ -z $output ]] || printf '%s\n' "$output" | sed 's/^/    /'
}

# bad LINT DESCRIPTION FILE LINE...: the lint finds fault with the good tree plus FILE.
bad() {
    local lint=$1 description=$2 file=$3
    shift 3
    fresh_tree
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$@" >"$file"
    expect 1 "$lint: $description" "$here/$lint" .
}

repeat() { yes "$1" | head -n "$2"; }

test_trees() {
    local lint
    fresh_tree
    for lint in layers sizes spdx words format tidy cppcheck; do
        expect 0 "$lint: a tree without fault" "$here/$lint" .
    done

    bad layers 'isolation sees resources' src/isolation/a.c '#include "resources/backend.h"'
    bad layers 'resources sees isolation' src/resources/a.c '#include "isolation/plan.h"'
    bad layers 'util sees model' src/util/a.c '#include "model/spec.h"'
    bad layers 'model sees core' src/model/a.h '# include "core/instance.h"'
    bad layers 'core sees systemd' src/core/a.c '#include "systemd/manager.h"'
    bad layers 'bus sees isolation' src/bus/a.c '#include "isolation/plan.h"'
    bad layers 'ctl sees core' src/ctl/a.c '#include "core/instance.h"'
    bad layers 'a new folder' src/novel/a.c '#include "util/fd.h"'
    bad layers 'core sees sd-bus' src/core/a.c '#include "util/sdbus.h"'
    bad layers 'sd-bus.h itself in util' src/util/a.c '#include <systemd/sd-bus.h>'
    bad layers 'sd-bus.h itself in bus' src/bus/a.c '#include <systemd/sd-bus-vtable.h>'
    bad layers 'glib in launcher' src/launcher/a.c '#include <glib.h>'
    bad layers 'util/error.h in init' src/init/a.c '#include "util/error.h"'
    bad layers 'launcher sees init' src/launcher/a.c '#include "init/step.h"'
    bad layers 'glib in a freestanding header' src/util/fd.h '#include <glib.h>'
    bad layers 'glib behind a freestanding header' src/util/message.c '#include <glib.h>'
    bad layers 'wire.h sees the plan' src/isolation/wire.h '#include "isolation/plan.h"'
    bad layers 'gio' src/daemon/a.c '#include <gio/gio.h>'
    bad layers 'threads' src/daemon/a.c '#include <pthread.h>'
    bad layers 'a relative include' src/core/a.c '#include "../model/spec.h"'
    bad layers 'a bare include' src/core/a.c '#include "instance.h"'
    bad layers 'a relative include in tests' tests/a.c '#include "../src/model/spec.h"'

    bad sizes 'a long file' src/util/a.h "$(repeat 'int a;' 501)"
    bad sizes 'a long script' dev '#!/bin/sh' "$(repeat : 500)"
    bad sizes 'a long function' src/util/a.c 'static int f(char *a,' '  int b)' '{' "$(repeat 'b++;' 67)" '}'
    bad sizes 'a long function after an #if' src/util/a.c 'void f(void)' '{' '#if A' 'if (a) {' '#else' 'if (b) {' \
        '#endif' '}' '}' '' 'void g(void)' '{' '/* { */ puts("}}");' "$(repeat 'b++;' 67)" '}'
    fresh_tree
    { echo 'int f(void)'; echo '{'; repeat 'b++;' 67; echo '}'; echo 'int t[] = {'; repeat '1,' 80; echo '};'; } >src/util/a.c
    expect 0 'sizes: a function of 70 lines and a long table' "$here/sizes" .

    bad spdx 'a source' src/util/a.c 'int a;'
    bad spdx 'a script without a suffix' tests/a '#!/bin/sh' 'true'
    bad spdx 'a unit to be filled in' units/a.service.in '[Unit]'
    bad spdx 'an interface' dbus/a.xml '<node/>'
    bad spdx 'another licence' src/util/a.c '/* SPDX-License-Identifier: MIT */'
    fresh_tree
    rm LICENSE
    expect 1 'spdx: no licence' "$here/spdx" .

    bad words 'a mark' src/util/a.c '/* TODO: later */'
    bad words 'a path in a source' src/util/a.c 'const char *a = "/tmp/a";'
    bad words 'the home of root' docs/a.md 'Look at /root/notes.'
    bad words 'a path of one machine in a test' tests/a.sh 'cd /home/me/src/constellation'
    fresh_tree
    # shellcheck disable=SC2016
    echo 'mktemp /tmp/a.XXXXXX; cd $here/home/me/src' >tests/a.sh
    expect 0 'words: a temporary file of a test' "$here/words" .

    bad format 'indentation' src/util/a.c 'int a(void)' '{' '  return 1;' '}'
    bad tidy 'a branch that is always taken' src/util/a.c 'int f(int x);' 'int f(int x)' '{' \
        '    if (x == x)' '        return 1;' '    return 0;' '}'
    bad tidy 'code that does not compile' src/util/a.c 'int f(void) { return a; }'
    bad cppcheck 'a null pointer' src/util/a.c 'int f(void) { int *p = 0; return *p; }'
}

# built NAME CODE FLAG...: compiles a program of that name.
built() {
    local name=$1 code=$2
    shift 2
    printf '%s\n' "$code" | gcc -x c -w -o "$work/$name" - "$@"
}

test_binaries() {
    local body='#include <stdio.h>
        int main(int c, char **v) { char b[64]; snprintf(b, sizeof b, v[0], c); puts(b); return 0; }'
    # shellcheck disable=SC2054
    local good=(-O2 -fPIE -pie -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wl,-z,relro,-z,now)
    local loop='void g_main_loop_run(void *); int main(void) { g_main_loop_run(0); return 0; }'
    local alone='void _start(void) { for (;;) ; }'

    built good "$body" "${good[@]}" || return
    expect 0 'hardening: all of it' "$here/hardening" "$work/good"
    expect 0 'exports: a program of its own' "$here/exports" "$work/good"
    built bad "$body" "${good[@]}" -no-pie -fno-pie && expect 1 'hardening: no PIE' "$here/hardening" "$work/bad"
    built bad "$body" "${good[@]}" -Wl,-z,norelro && expect 1 'hardening: no RELRO' "$here/hardening" "$work/bad"
    built bad "$body" "${good[@]}" -Wl,-z,lazy && expect 1 'hardening: bound lazily' "$here/hardening" "$work/bad"
    built bad "$body" "${good[@]}" -Wl,-z,execstack && expect 1 'hardening: executable stack' "$here/hardening" "$work/bad"
    built bad "$body" "${good[@]}" -fno-stack-protector && expect 1 'hardening: no canary' "$here/hardening" "$work/bad"
    built bad "$body" "${good[@]}" -U_FORTIFY_SOURCE && expect 1 'hardening: not fortified' "$here/hardening" "$work/bad"
    built bad "$body" "${good[@]}" -Wl,-rpath,/opt && expect 1 'hardening: a search path' "$here/hardening" "$work/bad"
    built bad "$alone" -nostdlib -static -Wl,-z,norelro && expect 1 'hardening: static without RELRO' "$here/hardening" "$work/bad"
    expect 1 'hardening: no program' "$here/hardening" "$here/run"

    built libloop.so 'void g_main_loop_run(void *l) { (void)l; }' -shared -fPIC
    built constellationd "$loop" -L"$work" -lloop &&
        expect 1 "exports: glib's loop" "$here/exports" "$work/constellationd"
    built constellation-init "$body" && expect 1 'exports: init is not static' "$here/exports" "$work/constellation-init"
    built constellation-launcher "$alone" -nostdlib -static &&
        expect 0 'exports: a static launcher' "$here/exports" "$work/constellation-launcher"
    built libconstellation.so.0 'int constellation_init(void) { return 0; } int helper(void) { return 0; }' -shared -fPIC &&
        expect 1 'exports: a name not of the API' "$here/exports" "$work/libconstellation.so.0"
}

test_trees
test_binaries
exit "$wrong"
