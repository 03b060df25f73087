#!/usr/bin/env bash
# Spark ML 4.2.0: an evaluator of accuracy refuses predictions because of a column that accuracy has no use for.
# Expected: accuracy needs the columns label and prediction; whatever else the rows have is passed over.
# Seen: MulticlassClassificationEvaluator with the metric accuracy reads a column named probability if there is one, and raises an error if
#   it is not a vector, such as a map from classes to probabilities. Under any other name the same rows are evaluated.
# Why it matters: a model whose probabilities are a map or an array cannot be searched by CrossValidator, and the error, of a cast, comes
#   from within the evaluator after the first training.
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
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

class Finding {
  public static void main(String[] args) {
    SparkSession spark = SparkSession.builder().master("local[1]").config("spark.ui.enabled", false)
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate();
    System.out.println("Spark " + spark.version());
    MulticlassClassificationEvaluator accuracy = new MulticlassClassificationEvaluator().setMetricName("accuracy");
    Dataset<Row> rows = spark.sql("SELECT * FROM VALUES (0D, 0D), (1D, 0D) AS t(label, prediction)");
    double without = accuracy.evaluate(rows);
    double renamed = accuracy.evaluate(rows.selectExpr("*", "map('a', 0.5) AS probabilities"));
    String refused = "evaluated";
    try {
      accuracy.evaluate(rows.selectExpr("*", "map('a', 0.5) AS probability"));
    } catch (IllegalArgumentException e) {
      refused = e.getMessage();
    }
    spark.stop();
    System.out.println("Expected: 0.5 with a map of probabilities, whatever its name");
    System.out.println("Seen:     " + without + " without one, " + renamed + " if it is named probabilities; if it is named probability: " + refused);
    if (without != 0.5 || renamed != 0.5 || !refused.contains("cannot be cast to Vector")) throw new AssertionError("changed");
  }
}
JAVA
opens=()
for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
  java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
java "${opens[@]}" -cp "$(cat "$dir/classpath")" "$dir/Finding.java" 2>"$dir/log" || { tail -20 "$dir/log"; exit 1; }
