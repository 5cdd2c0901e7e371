(Facing: 80 x 48 mm, 0.5 mm deep, with a 6 mm end mill)
(Work zero: top of the stock, at its front left corner)
(Needs 80 mm in X, 48 mm in Y and 5 mm above the stock in Z)
G21 G90 G17 G94 G54
M5
G0 Z5
G0 X0 Y0
M3 S10000
G4 P3 (the spindle comes up to speed)
G0 Z1
G1 Z-0.5 F200
G1 X80 F800
Y4
G1 X0
Y8
G1 X80
Y12
G1 X0
Y16
G1 X80
Y20
G1 X0
Y24
G1 X80
Y28
G1 X0
Y32
G1 X80
Y36
G1 X0
Y40
G1 X80
Y44
G1 X0
Y48
G1 X80
G0 Z5
M5
G0 X0 Y0
M30
