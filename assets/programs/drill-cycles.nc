(The same six holes as drill.nc with drilling cycles: grblHAL only)
(Work zero: top of the stock, at its front left corner)
(Needs 60 mm in X, 30 mm in Y and 5 mm above the stock in Z)
(Grbl and FluidNC have no G81 and G83: sunmill says so before it runs)
G21 G90 G17 G94 G54
M5
G0 Z5
M3 S8000
G4 P3

(Back to the height before the cycle after each hole: G98)
G98 G81 X10 Y10 Z-6 R1 F120
X35
X60
(In bites of 2 mm)
G83 Y30 Z-6 R1 Q2 F120
X35
X10
G80

M5
G0 X0 Y0
M30
