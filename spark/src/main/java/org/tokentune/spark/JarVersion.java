package org.tokentune.spark;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import org.tokentune.BadSettingsException;

/** The version of this jar, which must be the same on the driver and on all executors. */
final class JarVersion {

  private JarVersion() {}

  /** The version of the jar that this process has. */
  static String own() {
    try (InputStream file = JarVersion.class.getResourceAsStream("version.properties")) {
      Properties properties = new Properties();
      properties.load(file);
      return properties.getProperty("version");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Checks the version of the driver against this process's. */
  static void check(String driver) {
    String own = own();
    if (!own.equals(driver)) {
      throw new BadSettingsException(
          "An executor has version %s of tokentune-spark and the driver %s; give both the same jar.",
          own, driver);
    }
  }
}
