#!/usr/bin/env bash
# Deeplearning4j (nd4j-api) 1.0.0-M2.1: with two classes, `Evaluation.f1(Macro)` and `f1(Micro)` do not average.
# Expected: macro is the mean of both classes' F1, micro equals the accuracy. The Javadoc says "across all
#   classes", and `precision(Macro)` and `recall(Macro)` do average.
# Seen: both return the F1 of class 1, even if class 0 was declared the positive class.
# Why it matters: for sentiment or spam the figure cannot be compared with a published macro F1, and the
#   precision, recall and F1 of one report describe different things.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cat > "$dir/pom.xml" <<'XML'
<project>
<modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>
  <dependency><groupId>org.nd4j</groupId><artifactId>nd4j-native</artifactId>
    <version>1.0.0-M2.1</version></dependency>
  <dependency><groupId>org.nd4j</groupId><artifactId>nd4j-native</artifactId>
    <version>1.0.0-M2.1</version><classifier>linux-x86_64</classifier></dependency>
  <dependency><groupId>org.bytedeco</groupId><artifactId>openblas</artifactId>
    <version>0.3.19-1.5.7</version><classifier>linux-x86_64</classifier></dependency>
  <dependency><groupId>org.bytedeco</groupId><artifactId>javacpp</artifactId>
    <version>1.5.7</version><classifier>linux-x86_64</classifier></dependency>
  <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
  -Dmdep.outputFile="$dir/classpath"
cat > "$dir/Finding.java" <<'JAVA'
import org.nd4j.evaluation.EvaluationAveraging;
import org.nd4j.evaluation.classification.Evaluation;

class Finding {
  public static void main(String[] args) {
    Evaluation e = new Evaluation(2, 0); // class 0 is positive
    int[][] rows = {{0, 0}, {0, 0}, {0, 1}, {1, 1}}; // predicted, actual
    for (int[] row : rows) e.eval(row[0], row[1]);
    double macro = e.f1(EvaluationAveraging.Macro), micro = e.f1(EvaluationAveraging.Micro);
    System.out.println("ND4J 1.0.0-M2.1: F1 of class 0 " + e.f1(0) + ", of class 1 " + e.f1(1));
    System.out.println("macro F1 " + macro + ", expected " + (e.f1(0) + e.f1(1)) / 2);
    System.out.println("micro F1 " + micro + ", expected " + e.accuracy());
    double precision = e.precision(EvaluationAveraging.Macro);
    System.out.println("macro precision " + precision + ", expected " + (e.precision(0) + e.precision(1)) / 2);
    if (macro != e.f1(1) || micro != e.f1(1)) throw new AssertionError("changed: F1");
    if (Math.abs(precision - (e.precision(0) + e.precision(1)) / 2) > 1e-9) throw new AssertionError("precision");
    System.out.println("Expected: macro F1 is the mean of both classes, micro F1 the accuracy");
    System.out.println("Seen:     both are the F1 of class 1");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
