# Configures, builds and runs the test programs of one CMake preset.  Sourced by parts of ./test.

# ctest_run PRESET [ctest options]: prints what failed and "N passed, N failed"; false where anything did.
ctest_run() {
    local preset=$1 dir=build-$1 total bad
    shift
    mkdir -p "$dir"
    if ! { [ -f "$dir/build.ninja" ] || cmake --preset "$preset"; } >"$dir/configure.log" 2>&1; then
        tail -n 20 "$dir/configure.log"
        return 1
    fi
    if ! ninja -C "$dir" >"$dir/build.log" 2>&1; then
        grep -E '^FAILED|error:|warning:|undefined reference' "$dir/build.log" | head -n 40
        echo "the build failed; all of it: $dir/build.log"
        return 1
    fi
    ctest --test-dir "$dir" -j 2 --output-on-failure "$@" >"$dir/ctest.log" 2>&1
    grep -E 'not ok|^# .*:[0-9]+: |ERROR: |runtime error:|\*\*\*(Failed|Timeout|Exception|Not Run)' "$dir/ctest.log" | head -n 60
    read -r bad total < <(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$dir/ctest.log")
    if [ -z "${total:-}" ]; then
        tail -n 5 "$dir/ctest.log"
        return 1
    fi
    echo "$((total - bad)) passed, $bad failed"
    [ "$bad" = 0 ]
}
