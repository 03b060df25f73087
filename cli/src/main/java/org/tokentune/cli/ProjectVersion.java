package org.tokentune.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version in pom.xml, which Maven writes into {@code version.properties}. */
final class ProjectVersion implements IVersionProvider {

  @Override
  public String[] getVersion() throws IOException {
    Properties properties = new Properties();
    try (InputStream file = ProjectVersion.class.getResourceAsStream("version.properties")) {
      properties.load(file);
    }
    return new String[] {"TokenTune " + properties.getProperty("version")};
  }
}
