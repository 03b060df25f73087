package org.tokentune.cpu;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.UnaryOperator;

/** What this Java makes of code with vectors. */
final class VirtualMachine {

  private VirtualMachine() {}

  /**
   * Whether code with vectors is compiled to vector instructions. Only HotSpot's second compiler
   * does that, and fused multiplications and additions, where the processor has none, are made of
   * arbitrarily long numbers.
   */
  static boolean compilesVectors() {
    HotSpotDiagnosticMXBean options =
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    return options != null
        && !System.getProperty("java.vm.info", "").contains("interpreted mode")
        && compilesVectors(
            name -> {
              try {
                return options.getVMOption(name).getValue();
              } catch (IllegalArgumentException unknown) {
                return "";
              }
            });
  }

  /**
   * The same.
   *
   * @param options of the virtual machine: values by name, empty for those that it does not have
   */
  static boolean compilesVectors(UnaryOperator<String> options) {
    return options.apply("UseFMA").equals("true")
        && options.apply("TieredStopAtLevel").equals("4")
        && !options.apply("UseJVMCICompiler").equals("true");
  }
}
