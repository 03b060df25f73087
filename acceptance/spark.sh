#!/usr/bin/env bash
# Fine-tunes all-MiniLM-L6-v2 on the first 2,000 rows of SST-2's train.tsv, 32 texts in a step, on Spark, and compares:
#   all, quarter, adapters
#             losses on one machine, local[1], local[2] and a standalone cluster of two workers, processes on localhost: gradients
#             through all tokens, through a quarter of them, and of adapters through a quarter
#   failures  a worker killed by its process id with and without a spare slot; a task that throws; all workers killed, and one
#             that comes back in time, or none
#   exchange  the same failures where tasks exchange gradients directly, and a stopped executor, with Spark's authentication and
#             encryption
#   slots     more tasks than run at the same time, which exchange gradients
#   versions  executors with another version of the jar
#   overhead  what a step in local[1] takes beside one without Spark, with each exchange
#   rounds    parameters averaged every 8 steps beside synchronous steps, three seeds, accuracy on test.tsv beside the file
#   bits      gradients of 16 bits beside 32
# Prints the last line of every run, and exits 1 if losses differ from one machine's by more than 1e-5, or two runs that should
# be the same by anything. Needs a copy of the model in the zoo's cache, and ports 17077, 18080 to 18083 of localhost.
# Usage: acceptance/spark.sh TRAIN_TSV [STEPS [PART...]]; default 50 steps of all parts.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
data="$1"
steps="${2:-50}"
parts=("${@:3}")
[ "${#parts[@]}" -gt 0 ] || parts=(all quarter adapters failures exchange slots versions overhead rounds bits)
work="$(mktemp -d)"
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; sleep 2; rm -rf "$work"' EXIT
export OMP_WAIT_POLICY=passive
opens="$(sed -n 's:.*<spark.jvm>\(.*\)</spark.jvm>.*:\1:p' "$home/pom.xml")"
# The test class path of the module: Spark, the library and the backend; and the zoo.
mvn -B -q -o -f "$home/pom.xml" -pl spark,zoo -am -DskipTests test-compile \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath -Dmdep.outputFile=target/spark-classpath
classpath="$home/spark/target/classes:$home/spark/target/test-classes:$home/zoo/target/classes:$(cat "$home/spark/target/spark-classpath"):$(cat "$home/zoo/target/spark-classpath")"
export SPARK_HOME="$work/spark" SPARK_LOCAL_IP=127.0.0.1 SPARK_SCALA_VERSION=2.13
mkdir -p "$SPARK_HOME/jars" "$SPARK_HOME/conf" # where workers look for the jars of executors
cluster=spark://127.0.0.1:17077
# Whoever is part of the cluster has to know it.
secret=(-Dspark.authenticate=true "-Dspark.authenticate.secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' ')")
javac -d "$work/classes" -cp "$classpath" "$home/acceptance/SparkRuns.java"
classpath="$work/classes:$classpath"

run() { # MASTER NAME OPTION...
  # shellcheck disable=SC2086
  java -Xmx3g $opens "${secret[@]}" -Dai.djl.offline=true -Dspark.master="$1" -Dspark.ui.enabled=false -Dspark.driver.host=127.0.0.1 \
    -Dspark.executor.memory=2500m -Dspark.executor.extraClassPath="$classpath" -Dspark.executor.cores=1 \
    "-Dspark.executor.extraJavaOptions=-Dai.djl.offline=true" -Dlog4j2.configurationFile="$home/spark/src/test/resources/log4j2.properties" \
    -Druns.steps="$steps" "${@:3}" -cp "$classpath" SparkRuns "$1" "$data" >"$work/$2" 2>"$work/$2.err" \
    || { grep '^refused' "$work/$2" || tail -5 "$work/$2.err"; return 1; }
  grep '^result' "$work/$2" | sed "s/^result/$2:/"
}
difference() { # A B LIMIT
  paste <(grep '^step' "$work/$1") <(grep '^step' "$work/$2") \
    | awk -v limit="$3" -v names="$1, $2" '{ d = $4 - $10; if (d < 0) d = -d; if (d > most) most = d; n++ }
        END { printf "  %s: greatest difference of %d losses: %.1e\n", names, n, most; exit most > limit || n == 0 }'
}
same() { # A B: losses and weights
  difference "$1" "$2" 0
  for name in "$1" "$2"; do sed -n 's/^result.*weights \([0-9a-f]*\).*/\1/p' "$work/$name"; done | uniq | wc -l | grep -qx 1 \
    && echo "  $1, $2: the same weights, bit for bit"
}
worker() { # NUMBER: its process id goes to worker[NUMBER]
  # shellcheck disable=SC2086
  java -Xmx512m $opens "${secret[@]}" -cp "$classpath" org.apache.spark.deploy.worker.Worker --cores 1 --memory 2600m --host 127.0.0.1 \
    --work-dir "$work/worker-$1" --webui-port $((18080 + $1)) $cluster >>"$work/worker-$1.log" 2>&1 &
  pids+=($!)
  worker[$1]=$!
}
executor() { # the process id of one of this script's
  pgrep -f "$work/classes.*CoarseGrainedExecutorBackend" | tail -1
}
busy() { # the number of a worker that has one
  local parent number
  parent="$(ps -o ppid= "$(executor)" | tr -d ' ')"
  for number in "${!worker[@]}"; do
    [ "${worker[$number]}" != "$parent" ] || echo "$number"
  done
}
after() { # NAME STEP: waits until a run has made the step
  until [ "$(grep -c '^step' "$work/$1" 2>/dev/null || true)" -ge "$2" ] 2>/dev/null; do sleep 0.5; done
}
stop() { # NUMBER: kills a worker
  echo "  killing worker $1, process ${worker[$1]}"
  kill -9 "${worker[$1]}"
  wait "${worker[$1]}" 2>/dev/null || true # in place of the shell's own message
}
start() {
  [ -z "${worker[1]:-}" ] || return 0
  java -Xmx512m "${secret[@]}" -cp "$classpath" org.apache.spark.deploy.master.Master --host 127.0.0.1 --port 17077 --webui-port 18080 \
    >"$work/master" 2>&1 &
  pids+=($!)
  sleep 5
  worker 1
  worker 2
  sleep 5
}
declare -a worker

equality() { # TOKENS LORA
  local options=("-Druns.tokens=$1" "-Druns.lora=$2") master
  start
  run none one "${options[@]}"
  for master in "local[1]" "local[2]"; do
    run "$master" "$master" "${options[@]}"
    difference one "$master" 1e-5
  done
  same "local[1]" "local[2]"
  run $cluster workers "${options[@]}"
  difference one workers 1e-5
  same "local[2]" workers
  for master in "local[1]" "local[2]" $cluster; do
    [ "$master" != "local[1]" ] || options+=(-Druns.tasks=1)
    run "$master" direct "${options[@]}" -Druns.exchange=direct
    difference one direct 1e-5
    [ "$master" = "local[1]" ] || same workers direct
    options=("-Druns.tokens=$1" "-Druns.lora=$2")
  done
}
all() { equality all ""; }
quarter() { equality 25% ""; }
adapters() {
  equality 25% r=8
  for exchange in spark direct; do
    run $cluster again -Druns.tokens=25% -Druns.lora=r=8 -Druns.exchange=$exchange
    same workers again
  done
}

failures() {
  start
  local half=$((steps / 2)) options=(-Druns.lora=r=8) job
  run $cluster undisturbed "${options[@]}"
  run $cluster throws "${options[@]}" -Dspark.plugins=org.tokentune.spark.Faults \
    "-Dspark.executor.extraJavaOptions=-Dai.djl.offline=true -Dfaults.at=$half"
  echo "  faults in its log: $(grep -c "Lost task.*a fault for the test" "$work/throws.err")"
  same undisturbed throws
  worker 3 # the spare slot
  sleep 5
  run $cluster spare "${options[@]}" -Dspark.cores.max=2 &
  job=$!
  after spare "$half"
  stop 2
  wait $job
  same undisturbed spare
  run $cluster fewer "${options[@]}" & # workers 1 and 3, without a spare slot
  job=$!
  after fewer "$half"
  stop 3
  wait $job
  same undisturbed fewer
  worker 2
  sleep 5
  run $cluster back "${options[@]}" &
  job=$!
  after back "$half"
  stop 1
  stop 2
  sleep 15
  worker 1
  wait $job
  same undisturbed back
  run $cluster none "${options[@]}" -Druns.timeout=30 &
  job=$!
  after none "$half"
  stop 1
  if wait $job; then exit 1; fi
  grep -q "^refused: Spark has not made step" "$work/none"
  worker 1
  worker 2
  sleep 5
}

# With direct exchange a job makes many steps, and waits until all tasks run; lines of steps come at its end.
exchange() {
  start
  local options=(-Druns.lora=r=8) direct=(-Druns.lora=r=8 -Druns.exchange=direct) job pid number
  run $cluster undisturbed "${options[@]}"
  run $cluster encrypted "${direct[@]}" -Dspark.network.crypto.enabled=true
  same undisturbed encrypted
  run $cluster throws "${direct[@]}" -Dspark.plugins=org.tokentune.spark.Faults \
    "-Dspark.executor.extraJavaOptions=-Dai.djl.offline=true -Dfaults.at=2"
  echo "  faults in its log: $(grep -c "Lost task.*a fault for the test" "$work/throws.err")"
  same undisturbed throws
  worker 3 # the spare slot
  sleep 5
  run $cluster spare "${direct[@]}" -Dspark.cores.max=2 &
  job=$!
  after spare 4
  sleep 1
  number="$(busy)"
  stop "$number"
  wait $job
  same undisturbed spare
  grep "is made again" "$work/spare.err"
  run $cluster back "${direct[@]}" & # without a spare slot
  job=$!
  after back 4
  sleep 1
  stop "$(busy)"
  sleep 20
  worker "$number"
  wait $job
  same undisturbed back
  grep "is made again" "$work/back.err"
  run $cluster executor "${direct[@]}" & # the worker starts another one
  job=$!
  after executor 4
  sleep 1
  pid="$(executor)"
  echo "  killing an executor, process $pid"
  kill -9 "$pid"
  wait $job
  same undisturbed executor
  grep "is made again" "$work/executor.err"
  run $cluster stalled "${direct[@]}" -Druns.timeout=30 &
  job=$!
  after stalled 4
  sleep 1
  pid="$(executor)"
  echo "  stopping an executor, process $pid"
  kill -STOP "$pid"
  if wait $job; then exit 1; fi
  kill -9 "$pid"
  grep "^refused: Spark has not gone on in 30 seconds: task . .* says nothing" "$work/stalled"
}

slots() {
  start
  if run $cluster slots -Druns.lora=r=8 -Druns.exchange=direct -Druns.tasks=3 -Druns.timeout=30; then exit 1; fi
  grep -q "^refused: Spark has not gone on in 30 seconds: 2 of 3 tasks have started" "$work/slots"
}

# The executors' own classes come first on their class path: there they have another version.
versions() {
  start
  local options=(-Druns.lora=r=8 "-Dspark.executor.extraClassPath=$work/other:$classpath") exchange
  mkdir -p "$work/other/org/tokentune/spark"
  echo "version=9.9" >"$work/other/org/tokentune/spark/version.properties"
  for exchange in spark direct; do
    if run $cluster versions "${options[@]}" -Druns.exchange=$exchange; then exit 1; fi
    grep -q "^refused: An executor has version 9.9 of tokentune-spark and the driver" "$work/versions"
  done
}

overhead() {
  local options=(-Druns.batches=1 -Druns.tasks=1 "-Druns.steps=$((3 * steps))") exchange tokens
  for tokens in "25% -Druns.lora=r=8" all; do
    # shellcheck disable=SC2206
    local all=("${options[@]}" -Druns.tokens=$tokens)
    run none one "${all[@]}"
    for exchange in spark direct; do
      run "local[1]" $exchange "${all[@]}" -Druns.exchange=$exchange
      same one $exchange
    done
  done
}

rounds() {
  for seed in 1 2 3; do
    options=(-Druns.seed=$seed -Druns.steps=$((2 * steps)) -Druns.lora=r=8 -Druns.rate=2e-3 -Druns.test="$(dirname "$data")/test.tsv")
    run none "synchronous-$seed" "${options[@]}" # the same to the last bit as on Spark: see adapters
    run "local[2]" "averaged-$seed" "${options[@]}" -Druns.sync-every=8
  done
}

bits() {
  for lora in "" r=8; do
    for bits in 32 16; do
      run "local[2]" "bits-$bits" -Druns.lora=$lora -Druns.gradient-bits=$bits -Druns.test="$(dirname "$data")/test.tsv"
    done
    difference bits-32 bits-16 1
  done
}

for part in "${parts[@]}"; do
  echo "== $part"
  "$part"
done
