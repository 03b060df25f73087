#!/usr/bin/env bash
# Spark 4.2.0: mean average precision, recall and nDCG of a ranking come out above 1.
# Expected: a text that occurs twice in a ranking counts once, or is refused; no score is above 1.
# Seen: RankingMetrics counts it each time as found, while the relevant texts are a set: "a a a" for the relevant texts a and b has a mean
#   average precision of 1.5, a recall of 1.5 and an nDCG of 1.31. No warning.
# Why it matters: rankings of passages of the same documents, or joined from two searches, repeat their documents, and look better for it.
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
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.mllib.evaluation.RankingMetrics;
import org.apache.spark.sql.SparkSession;
import scala.Tuple2;

class Finding {
  public static void main(String[] args) {
    SparkSession spark = SparkSession.builder().master("local[1]").config("spark.ui.enabled", false)
        .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate();
    System.out.println("Spark " + spark.version());
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    RankingMetrics<String> ranking =
        RankingMetrics.of(context.parallelize(List.of(new Tuple2<>(List.of("a", "a", "a"), List.of("a", "b")))));
    double map = ranking.meanAveragePrecision(), recall = ranking.recallAt(3), gain = ranking.ndcgAt(3);
    spark.stop();
    System.out.println("Expected: MAP 0.5, recall@3 0.5, nDCG@3 0.61, for a is found once and b is not");
    System.out.printf("Seen:     MAP %.2f, recall@3 %.2f, nDCG@3 %.2f%n", map, recall, gain);
    if (map != 1.5 || recall != 1.5 || gain < 1.3) throw new AssertionError("changed");
  }
}
JAVA
opens=()
for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
  java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
java "${opens[@]}" -cp "$(cat "$dir/classpath")" "$dir/Finding.java" 2>"$dir/log" || { tail -20 "$dir/log"; exit 1; }
