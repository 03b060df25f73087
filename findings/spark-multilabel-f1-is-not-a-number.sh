#!/usr/bin/env bash
# Spark ML 4.2.0: one row without labels makes the F1, accuracy and recall of all rows NaN.
# Expected: a row that has no labels, and for which none are predicted, is right; or it is passed over, as precision does it.
# Seen: MultilabelClassificationEvaluator divides 0 by 0 for that row, and the mean over all rows is NaN, although every prediction is right
#   (the subset accuracy is 1); recall is NaN already if such a row has a prediction. The micro-averaged F1 is right. No warning.
# Why it matters: rows without any label are usual in multi-label data, and a search by CrossValidator compares NaN with NaN. This
#   project's own scores of such rows are finite.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cat > "$dir/pom.xml" <<'XML'
<project>
<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
  <dependency><groupId>org.apache.spark</groupId><artifactId>spark-sql_2.13</artifactId><version>4.2.0</version></dependency>
  <dependency><groupId>org.apache.spark</groupId><artifactId>spark-mllib_2.13</artifactId><version>4.2.0</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
  -Dmdep.outputFile="$dir/classpath"
cat > "$dir/Finding.java" <<'JAVA'
import org.apache.spark.ml.evaluation.MultilabelClassificationEvaluator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

class Finding {
  public static void main(String[] args) {
    SparkSession spark = SparkSession.builder().master("local[1]").config("spark.ui.enabled", false)
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate();
    System.out.println("Spark " + spark.version());
    Dataset<Row> right = spark.sql("SELECT prediction, prediction AS label FROM (SELECT array(1D) AS prediction UNION ALL SELECT cast(array() AS array<double>))");
    right.show();
    StringBuilder seen = new StringBuilder();
    for (String metric : new String[] {"f1Measure", "accuracy", "recall", "precision", "subsetAccuracy", "microF1Measure"}) {
      seen.append(metric).append(' ').append(new MultilabelClassificationEvaluator().setMetricName(metric).evaluate(right)).append(", ");
    }
    spark.stop();
    System.out.println("Expected: 1 of each, or the mean of the rows that have labels");
    System.out.println("Seen:     " + seen);
    if (!seen.toString().equals("f1Measure NaN, accuracy NaN, recall NaN, precision 0.5, subsetAccuracy 1.0, microF1Measure 1.0, ")) throw new AssertionError("changed");
  }
}
JAVA
opens=()
for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
  java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
java "${opens[@]}" -cp "$(cat "$dir/classpath")" "$dir/Finding.java" 2>"$dir/log" || { tail -20 "$dir/log"; exit 1; }
