#!/usr/bin/env bash
# Fine-tunes all-MiniLM-L6-v2 on the first 2,000 rows of SST-2's train.tsv, 32 texts in a step: on one machine, on Spark in one
# process (local[1], local[2]) and on a standalone cluster of two workers in two processes, then again with one of the two
# executors killed on the way. Prints the last lines of each run, and exits 1 if losses differ from one machine's by more than
# 1e-5, or two runs on Spark by anything. Needs Maven's copy of Spark's jars and a copy of the model in the zoo's cache.
# Usage: acceptance/spark.sh TRAIN_TSV [STEPS [TOKENS:LORA...]]; default 50 steps of all: 25%: 25%:r=8.
set -euo pipefail
home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
data="$1"
steps="${2:-50}"
kinds=("${@:3}")
[ "${#kinds[@]}" -gt 0 ] || kinds=("all:" "25%:" "25%:r=8")
work="$(mktemp -d)"
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT
export OMP_WAIT_POLICY=passive
opens="$(sed -n 's:.*<spark.jvm>\(.*\)</spark.jvm>.*:\1:p' "$home/pom.xml")"
# The test class path of the module: Spark, the library and the backend; and the zoo.
mvn -B -q -o -f "$home/pom.xml" -pl spark,zoo -am -DskipTests test-compile \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath -Dmdep.outputFile=target/spark-classpath
classpath="$home/spark/target/classes:$home/zoo/target/classes:$(cat "$home/spark/target/spark-classpath"):$(cat "$home/zoo/target/spark-classpath")"
export SPARK_HOME="$work/spark" SPARK_LOCAL_IP=127.0.0.1 SPARK_SCALA_VERSION=2.13
mkdir -p "$SPARK_HOME/jars" "$SPARK_HOME/conf" # where workers look for the jars of executors
run() { # MASTER NAME TASKS TOKENS LORA
  # shellcheck disable=SC2086
  java -Xmx2g $opens -Dai.djl.offline=true -Dspark.master="$1" -Dspark.ui.enabled=false -Dspark.driver.host=127.0.0.1 \
    -Dspark.executor.memory=2g -Dspark.executor.extraClassPath="$classpath" -Dspark.executor.cores=1 \
    "-Dspark.executor.extraJavaOptions=-Dai.djl.offline=true" -Dlog4j2.configurationFile="$home/spark/src/test/resources/log4j2.properties" \
    -cp "$classpath" "$home/acceptance/SparkRuns.java" "$1" "$data" "$3" "$steps" "$4" "$5" >"$work/$2" 2>"$work/$2.err" \
    || { tail -5 "$work/$2.err"; exit 1; }
  grep '^result' "$work/$2"
}
difference() { # A B LIMIT
  paste <(grep '^step' "$work/$1") <(grep '^step' "$work/$2") \
    | awk -v limit="$3" '{ d = $4 - $8; if (d < 0) d = -d; if (d > most) most = d } END { printf "  greatest difference of losses: %.1e\n", most; exit most > limit }'
}
for kind in "${kinds[@]}"; do
  tokens="${kind%%:*}" lora="${kind#*:}"
  run none one 1 "$tokens" "$lora"
  for master in "local[1]" "local[2]"; do
    run "$master" "$master" 2 "$tokens" "$lora"
    difference one "$master" 1e-5
  done
  difference "local[1]" "local[2]" 0
done
java -Xmx512m -cp "$classpath" org.apache.spark.deploy.master.Master --host 127.0.0.1 --port 17077 --webui-port 18080 >"$work/master" 2>&1 &
pids+=($!)
sleep 6
for worker in 1 2; do
  # shellcheck disable=SC2086
  java -Xmx512m $opens -cp "$classpath" org.apache.spark.deploy.worker.Worker --cores 1 --memory 2g --host 127.0.0.1 --work-dir "$work/worker-$worker" \
    --webui-port $((18080 + worker)) spark://127.0.0.1:17077 >"$work/worker-$worker.log" 2>&1 &
  pids+=($!)
done
sleep 6
run spark://127.0.0.1:17077 cluster 2 "$tokens" "$lora" # the last kind
difference "local[2]" cluster 0
( while [ "$(grep -c '^step' "$work/killed" 2>/dev/null || echo 0)" -lt $((steps / 2)) ]; do sleep 1; done
  executor="$(pgrep -P "${pids[1]}" java | head -1)"
  echo "  killing executor $executor"
  kill -9 "$executor" ) &
run spark://127.0.0.1:17077 killed 2 "$tokens" "$lora"
difference cluster killed 0
