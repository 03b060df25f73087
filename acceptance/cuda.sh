#!/usr/bin/env bash
# Goldens of every family and one shape of bench on a CUDA card (compute capability 3.7 to 8.6, driver for CUDA 11.6).
# Usage: acceptance/cuda.sh; in a checkout of its own, because target/ then holds the CUDA backend.
# There, everything runs in native form: ND4J's own ops, without the kernels in Java and without tokentune-cpu.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$home"
mvn -B -Pcuda -pl tokentune-samediff -am test-compile surefire:test@default-test \
  -Dtest='FamiliesTest,DecodersTest,LoraTest' -Dsurefire.failIfNoSpecifiedTests=false
mvn -B -Pcuda -pl cli -am package -DskipTests -Dmaven.test.skip=true
touch cli/target/classpath
./tokentune bench --shape small --steps 9
