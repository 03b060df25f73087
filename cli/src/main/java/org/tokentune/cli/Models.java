package org.tokentune.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.ModelFiles;
import org.tokentune.checkpoint.ModelFolder;
import org.tokentune.zoo.Zoo;

/** What {@code --model} names. */
final class Models {

  private Models() {}

  /** A folder, where there is one; otherwise a name in the zoo. */
  static ModelFiles open(String nameOrFolder) {
    Path path;
    try {
      path = Path.of(nameOrFolder);
    } catch (InvalidPathException e) {
      return Zoo.load(nameOrFolder);
    }
    if (Files.exists(path)) {
      return ModelFolder.open(path);
    }
    if (path.getNameCount() > 1 || path.isAbsolute()) {
      throw new BadInputException("There is no folder %s; check the path.", path);
    }
    return Zoo.load(nameOrFolder);
  }
}
