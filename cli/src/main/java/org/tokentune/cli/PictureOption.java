package org.tokentune.cli;

import java.nio.file.Path;
import java.util.Locale;
import org.tokentune.BadSettingsException;
import org.tokentune.files.WholeFile;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The option that draws a command's result. */
final class PictureOption {

  @Option(
      names = "--picture",
      paramLabel = "FILE.png",
      description = "Also draw live bytes over the step's ops.")
  private Path picture;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  /** Reports early that the file could not be written. */
  void check() {
    if (picture == null) {
      return;
    }
    if (!picture.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
      throw new BadSettingsException(
          "%s does not end in .png; give a file name that does.", picture);
    }
    new OutputFile(picture).check();
  }

  boolean isGiven() {
    return picture != null;
  }

  void draw(WholeFile.Content chart) {
    if (picture != null) {
      new OutputFile(picture).write(chart);
      command
          .commandLine()
          .getOut()
          .printf(Locale.ROOT, "%nThe picture is in %s%n", picture)
          .flush();
    }
  }
}
