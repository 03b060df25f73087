#!/usr/bin/env bash
# SameDiff 1.0.0-M2.1: deriving the gradient of a graph takes time that grows with the square of its size.
# Expected: a pass over the ops, each of which adds the few of its own gradient: eight times the ops, eight times the time.
# Seen: 37 to 66 times as long. The graph is copied first, op by op through FlatBuffers, and for each op the list of all variables is made anew
#   (SameDiff.variables()); and a new op looks for a free name from tanh_1 on, by tanh_2, tanh_3 and so on (SameDiff.getOpName).
# Why it matters: a model of 32 layers has thousands of ops, so that a training begins half a minute late, and each further graph (another
#   mask, another set of trained variables) costs the same again. This project calls each op's doDiff itself, in the same order.
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
  -Dmdep.outputFile="$dir/classpath" > "$dir/maven" || { cat "$dir/maven"; exit 1; }
cat > "$dir/Finding.java" <<'JAVA'
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.concurrent.atomic.AtomicInteger;
import org.nd4j.autodiff.samediff.*;
import org.nd4j.linalg.factory.Nd4j;

class Finding {
  static final AtomicInteger samples = new AtomicInteger(), copying = new AtomicInteger();

  static SameDiff chain(int ops) {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.var("x", Nd4j.scalar(0.5f));
    for (int i = 0; i < ops; i++) x = sd.math().tanh(x);
    x.markAsLoss();
    return sd;
  }

  static double seconds(SameDiff sd, boolean watched) throws Exception {
    Thread caller = Thread.currentThread();
    Thread watch = new Thread(() -> {
      while (!Thread.interrupted()) {
        for (StackTraceElement frame : caller.getStackTrace()) {
          if (frame.getClassName().endsWith("SameDiff") && frame.getMethodName().matches("variables|getOpName")) { copying.incrementAndGet(); break; }
        }
        samples.incrementAndGet();
        try { Thread.sleep(5); } catch (InterruptedException e) { return; }
      }
    });
    PrintStream out = System.out; // SameDiff prints a line for every op
    System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    if (watched) watch.start();
    long start = System.nanoTime();
    try { sd.createGradFunction(); } finally { System.setOut(out); }
    double seconds = (System.nanoTime() - start) / 1e9;
    watch.interrupt();
    watch.join();
    return seconds;
  }

  public static void main(String[] args) throws Exception {
    for (int i = 0; i < 3; i++) seconds(chain(500), false); // compiles
    double few = Math.min(seconds(chain(1000), false), seconds(chain(1000), false));
    double many = seconds(chain(8000), true);
    System.out.printf("SameDiff 1.0.0-M2.1: gradient of 1,000 ops in %.2f s, of 8,000 in %.2f s: %.0f times as long%n", few, many, many / few);
    System.out.printf("%d of 100 samples are in SameDiff.variables() and getOpName()%n", 100 * copying.get() / samples.get());
    if (many < 16 * few || 2 * copying.get() < samples.get()) throw new AssertionError("changed");
    System.out.println("Expected: 8 times as long");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java"
