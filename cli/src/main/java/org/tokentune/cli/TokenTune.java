package org.tokentune.cli;

import java.util.Locale;
import org.bytedeco.javacpp.Pointer;
import org.tokentune.BadInputException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code tokentune} command. */
@Command(
    name = "tokentune",
    description = "Fine-tunes transformers on the JVM, with gradients through selected tokens.",
    mixinStandardHelpOptions = true,
    versionProvider = ProjectVersion.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TrainCommand.class,
      SearchCommand.class,
      ReproduceCommand.class,
      SelectCommand.class,
      MemoryCommand.class,
      EvaluateCommand.class,
      PredictCommand.class,
      FillCommand.class,
      EmbedCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      ExportCommand.class,
      ServeCommand.class,
      ParityCommand.class,
      ZooCommand.class,
      BenchCommand.class
    })
public final class TokenTune {

  private TokenTune() {}

  /** Exits with 0, with 1 for bad input or a failed check, with 2 for wrong usage. */
  public static void main(String[] arguments) {
    Locale.setDefault(Locale.ROOT); // libraries print digits, too
    int exit = run(arguments);
    if (System.out.checkError()) {
      System.err.println("The output is incomplete: standard output cannot be written to.");
      exit = Math.max(exit, 1);
    }
    System.exit(exit);
  }

  /** The command and all below it. */
  static CommandLine commands() {
    return Words.read(new CommandLine(new TokenTune()));
  }

  static int run(String... arguments) {
    return run(commands(), arguments);
  }

  /**
   * @param commands whose streams take the output
   */
  static int run(CommandLine commands, String... arguments) {
    String[] expanded;
    try {
      expanded = ConfigFile.expand(commands, arguments);
    } catch (BadInputException e) {
      commands.getErr().println(e.getMessage());
      return 1;
    }
    return commands
        .setParameterExceptionHandler(
            (exception, given) -> {
              CommandLine command = exception.getCommandLine();
              command
                  .getErr()
                  .printf(
                      Locale.ROOT,
                      "%s%nSee %s --help.%n",
                      exception.getMessage(),
                      command.getCommandSpec().qualifiedName());
              return command.getCommandSpec().exitCodeOnInvalidInput();
            })
        .setExecutionExceptionHandler(
            (exception, command, parsed) -> {
              if (exception instanceof BadInputException bad) {
                command.getErr().println(SettingOptions.message(bad, command.getCommandSpec()));
                return 1;
              }
              if (isOutOfMemory(exception)) {
                return outOfMemory(command, exception);
              }
              throw exception;
            })
        .setExecutionStrategy(
            parsed -> {
              try {
                return new CommandLine.RunLast().execute(parsed);
              } catch (OutOfMemoryError e) { // picocli handles exceptions only
                return outOfMemory(parsed.commandSpec().commandLine(), e);
              }
            })
        .execute(expanded);
  }

  /** ND4J throws an exception of its own at its limit. */
  private static boolean isOutOfMemory(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof OutOfMemoryError
          || String.valueOf(cause.getMessage()).startsWith("Allocation failed")) {
        return true;
      }
    }
    return false;
  }

  private static int outOfMemory(CommandLine command, Throwable failure) {
    command
        .getErr()
        .printf(
            Locale.ROOT,
            "Out of memory (%.200s): the heap is limited to %,d MB and ND4J's memory outside of it to %,d"
                + " MB. Use smaller batches or shorter texts, plan with tokentune memory, or raise the limits:"
                + " TOKENTUNE_JAVA_OPTIONS='-Xmx8g -Dorg.bytedeco.javacpp.maxbytes=16g'.%n",
            String.valueOf(failure.getMessage()).lines().findFirst().orElse(""),
            Runtime.getRuntime().maxMemory() / 1_000_000,
            Pointer.maxBytes() / 1_000_000);
    return 1;
  }
}
