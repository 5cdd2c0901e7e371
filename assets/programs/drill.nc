(Six holes, 6 mm deep in three bites, with a 3 mm drill: for every firmware)
(Work zero: top of the stock, at its front left corner)
(Needs 60 mm in X, 30 mm in Y and 5 mm above the stock in Z)
G21 G90 G17 G94 G54
M5
G0 Z5
M3 S8000
G4 P3

(Hole 1)
G0 X10 Y10
G0 Z1
G1 Z-2 F120
G0 Z1
G0 Z-1.5
G1 Z-4
G0 Z1
G0 Z-3.5
G1 Z-6
G0 Z5

(Hole 2)
G0 X35 Y10
G0 Z1
G1 Z-2 F120
G0 Z1
G0 Z-1.5
G1 Z-4
G0 Z1
G0 Z-3.5
G1 Z-6
G0 Z5

(Hole 3)
G0 X60 Y10
G0 Z1
G1 Z-2 F120
G0 Z1
G0 Z-1.5
G1 Z-4
G0 Z1
G0 Z-3.5
G1 Z-6
G0 Z5

(Hole 4)
G0 X60 Y30
G0 Z1
G1 Z-2 F120
G0 Z1
G0 Z-1.5
G1 Z-4
G0 Z1
G0 Z-3.5
G1 Z-6
G0 Z5

(Hole 5)
G0 X35 Y30
G0 Z1
G1 Z-2 F120
G0 Z1
G0 Z-1.5
G1 Z-4
G0 Z1
G0 Z-3.5
G1 Z-6
G0 Z5

(Hole 6)
G0 X10 Y30
G0 Z1
G1 Z-2 F120
G0 Z1
G0 Z-1.5
G1 Z-4
G0 Z1
G0 Z-3.5
G1 Z-6
G0 Z5

M5
G0 X0 Y0
M30
