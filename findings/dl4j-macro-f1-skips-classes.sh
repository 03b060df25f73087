#!/usr/bin/env bash
# ND4J 1.0.0-M2.1: Evaluation's macro-averaged F1, "across all classes", leaves out every class that was never
# predicted. A model that always says class 0 of three equal ones gets 0.5; scikit-learn's macro F1 for it is 0.167,
# as two of three classes have 0. `f1(1)` itself returns 0. Expected is the mean of `f1(0)`, `f1(1)` and `f1(2)`. It
# matters where the best epoch is chosen by F1: a classifier that has collapsed can win against one that has learnt
# something of every class.
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
    Evaluation collapsed = new Evaluation(3), tries = new Evaluation(3);
    for (int i = 0; i < 30; i++) {
      int actual = i % 3;
      collapsed.eval(0, actual);
      tries.eval(i < 13 ? actual : (actual + 1) % 3, actual); // right 13 times, of all classes
    }
    double mean = (collapsed.f1(0) + collapsed.f1(1) + collapsed.f1(2)) / 3;
    double macro = collapsed.f1(EvaluationAveraging.Macro), other = tries.f1(EvaluationAveraging.Macro);
    System.out.println("ND4J 1.0.0-M2.1: three classes, ten rows each");
    System.out.printf("always class 0: F1 by class %.3f, %.3f, %.3f, their mean %.3f, macro F1 %.3f, accuracy %.3f%n",
        collapsed.f1(0), collapsed.f1(1), collapsed.f1(2), mean, macro, collapsed.accuracy());
    System.out.printf("right in 13 of 30: macro F1 %.3f, accuracy %.3f%n", other, tries.accuracy());
    if (Math.abs(macro - 0.5) > 1e-9 || Math.abs(mean - 1 / 6.0) > 1e-9) throw new AssertionError("changed: macro F1");
    if (macro <= other) throw new AssertionError("changed: the better model wins");
    System.out.println("As described: the collapsed model has the higher F1.");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
