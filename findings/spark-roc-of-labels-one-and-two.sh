#!/usr/bin/env bash
# Spark ML 4.2.0: the area under the ROC curve is 1 for the worst of rankings, where the two labels are 1 and 2.
# Expected: labels that are not 0 and 1 are refused, or the greater one is the positive; of one class alone there is no such area.
# Seen: BinaryClassificationEvaluator takes every label above 0.5 for positive, so that labels 1 and 2 are one class; and the area of one
#   class is 1 if it is the positive one, 0 if it is the negative one, whatever the scores. No warning.
# Why it matters: data sets number their classes from 1, and folds of rare classes have one class only: a search takes such scores for
#   perfect ones. scikit-learn 1.9.1 warns, and gives NaN.
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
import org.apache.spark.ml.evaluation.BinaryClassificationEvaluator;
import org.apache.spark.sql.SparkSession;

class Finding {
  /** Rows of label and score; the lower scores are those of the greater label. */
  static double area(SparkSession spark, String rows) {
    return new BinaryClassificationEvaluator().evaluate(spark.sql("SELECT * FROM VALUES " + rows + " AS t(label, rawPrediction)"));
  }

  public static void main(String[] args) {
    SparkSession spark = SparkSession.builder().master("local[1]").config("spark.ui.enabled", false)
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate();
    System.out.println("Spark " + spark.version());
    double numbered = area(spark, "(2D, 0.1D), (1D, 0.5D), (2D, 0.2D), (1D, 0.6D)");
    double usual = area(spark, "(1D, 0.1D), (0D, 0.5D), (1D, 0.2D), (0D, 0.6D)");
    double positives = area(spark, "(1D, 0.1D), (1D, 0.5D)");
    double negatives = area(spark, "(0D, 0.1D), (0D, 0.5D)");
    spark.stop();
    System.out.println("Expected: 0.0 for labels 0 and 1, the same or an error for 1 and 2, NaN or an error for one class");
    System.out.printf("Seen:     %s for 0 and 1, %s for 1 and 2, %s for positives only, %s for negatives only%n", usual, numbered, positives, negatives);
    if (usual != 0 || numbered != 1 || positives != 1 || negatives != 0) throw new AssertionError("changed");
  }
}
JAVA
opens=()
for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
  java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
java "${opens[@]}" -cp "$(cat "$dir/classpath")" "$dir/Finding.java" 2>"$dir/log" || { tail -20 "$dir/log"; exit 1; }
