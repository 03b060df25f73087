#!/usr/bin/env bash
# DataVec 1.0.0-M2.1: `CSVRecordReader` removes every backslash from the text it reads.
# Expected: the text exactly as in the file. RFC 4180 has no escape character other than the doubled quote, which
#   this reader understands too.
# Seen: a backslash is treated as an escape character, inside and outside quotes, and dropped: `\theta` becomes
#   `theta`, and `\n` within JSON becomes `n`. No constructor argument turns this off.
# Why it matters: texts with LaTeX, regular expressions, Windows paths or JSON are damaged on their way into the
#   training data, where nobody looks at the texts again.
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
  <dependency><groupId>org.datavec</groupId><artifactId>datavec-api</artifactId>
    <version>1.0.0-M2.1</version></dependency>
</dependencies></project>
XML
mvn -q -B -Dstyle.color=never -f "$dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath \
  -Dmdep.outputFile="$dir/classpath"
cat > "$dir/Finding.java" <<'JAVA'
import java.nio.file.Files;
import java.nio.file.Path;
import org.datavec.api.records.reader.impl.csv.CSVRecordReader;
import org.datavec.api.split.FileSplit;

class Finding {
  public static void main(String[] args) throws Exception {
    Path file = Path.of(args[0], "rows.csv");
    Files.write(file, java.util.List.of("cos \\theta,1", "\"{\"\"a\"\": \"\"x\\ny\"\"}\",0"));
    System.out.println("DataVec 1.0.0-M2.1");
    CSVRecordReader reader = new CSVRecordReader();
    reader.initialize(new FileSplit(file.toFile()));
    String all = "";
    for (String line : Files.readAllLines(file)) {
      String text = reader.next().get(0).toString();
      all += text + "|";
      System.out.println("line " + line + " is read as " + text);
    }
    if (!all.equals("cos theta|{\"a\": \"xny\"}|")) throw new AssertionError("changed: " + all);
    System.out.println("Expected: cos \\theta and {\"a\": \"x\\ny\"}");
    System.out.println("Seen:     cos theta and {\"a\": \"xny\"}");
  }
}
JAVA
java -cp "$(cat "$dir/classpath")" "$dir/Finding.java" "$dir"
