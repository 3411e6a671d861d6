# Builds the fuzz targets with clang and runs them.  Sourced by parts of ./test.

# fuzz_run SECONDS: each target for so long, from its corpus and what it found before; prints "ok" or "not ok" for each
# and counts them in ok and bad.
fuzz_run() {
    local target name
    mkdir -p build-fuzz
    { [ -f build-fuzz/build.ninja ] || cmake --preset fuzz; } >build-fuzz/configure.log 2>&1 &&
        ninja -C build-fuzz >build-fuzz/build.log 2>&1 || { tail -n 20 build-fuzz/build.log; return 1; }
    for target in build-fuzz/fuzz/fuzz.*; do
        name=${target##*.}
        mkdir -p "build-fuzz/found/$name"
        if "$target" -max_total_time="$1" -timeout=5 -rss_limit_mb=1024 -artifact_prefix=build-fuzz/found/ \
            "build-fuzz/found/$name" "fuzz/corpus/$name" >"build-fuzz/$name.log" 2>&1; then
            ok=$((ok + 1))
            echo "ok fuzz $name: $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "build-fuzz/$name.log") runs"
        else
            bad=$((bad + 1))
            echo "not ok fuzz $name"
            tail -n 20 "build-fuzz/$name.log"
        fi
    done
}
