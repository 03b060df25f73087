#!/usr/bin/env bash
# Spark 4.2.0 with Maven: a project whose only dependency is spark-mllib ends before its first row, in a NoSuchMethodError within Scala.
# Expected: a published artifact brings the versions of its dependencies that it was built with.
# Seen: Maven takes the nearest version, and scala-parser-combinators 2.4.0, which spark-mllib names before Spark's other modules, leads to
#   scala-library 2.13.13; scala-reflect is 2.13.18, and calls a method that this scala-library does not have. With spark-sql named before
#   spark-mllib, scala-library is 2.13.18, and the same program runs.
# Why it matters: spark-mllib depends on spark-sql, so that naming it alone looks sufficient, and the error names neither.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cat > "$dir/Finding.java" <<'JAVA'
import org.apache.spark.sql.SparkSession;

class Finding {
  public static void main(String[] args) {
    SparkSession spark = SparkSession.builder().master("local[1]").config("spark.ui.enabled", false)
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate();
    System.out.println("Spark " + spark.version() + ", rows: " + spark.range(3).selectExpr("id + 1").count());
    spark.stop();
  }
}
JAVA
opens=()
for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
  java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done

# run ARTIFACT...: the versions of Scala that a project with these dependencies gets, and what the program says
run() {
  mkdir -p "$dir/$1"
  {
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>'
    printf '<dependency><groupId>org.apache.spark</groupId><artifactId>%s_2.13</artifactId><version>4.2.0</version></dependency>\n' "$@"
    echo '</dependencies></project>'
  } > "$dir/$1/pom.xml"
  mvn -q -B -Dstyle.color=never -f "$dir/$1/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
    -Dmdep.outputFile="$dir/$1/classpath" > "$dir/$1/maven"
  echo "dependencies: $*"
  tr ':' '\n' < "$dir/$1/classpath" | grep -oE 'scala-(library|reflect)-[0-9.]+[0-9]' | sort -u | sed 's/^/  /'
  java "${opens[@]}" -cp "$(cat "$dir/$1/classpath")" "$dir/Finding.java" > "$dir/$1/log" 2>&1 || true
  grep -m1 -E '^Spark 4|NoSuchMethodError' "$dir/$1/log" | sed 's/^/  /'
}
run spark-mllib | tee "$dir/alone"
run spark-sql spark-mllib | tee "$dir/both"
echo 'Expected: "rows: 3" twice'
echo 'Seen:     a NoSuchMethodError with spark-mllib alone'
grep -q 'scala-library-2.13.13' "$dir/alone" && grep -q 'NoSuchMethodError' "$dir/alone" || { echo "changed: spark-mllib alone"; exit 1; }
grep -q 'scala-library-2.13.18' "$dir/both" && grep -q 'rows: 3' "$dir/both" || { echo "changed: both"; exit 1; }
