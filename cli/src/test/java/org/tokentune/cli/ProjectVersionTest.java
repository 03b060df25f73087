package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ProjectVersionTest {

  private static final Pattern VERSION = Pattern.compile("<version>(.*)</version>");

  @Test
  void versionIsThatOfThePom() {
    List<String> pom = Document.read(Document.HOME.resolve("pom.xml")).lines();
    Matcher version = VERSION.matcher(String.join("\n", pom));
    assertTrue(version.find()); // the first one is the project's
    Run run = Run.of("--version");
    assertEquals("TokenTune " + version.group(1), run.printed().strip());
    assertEquals(0, run.code());
  }
}
